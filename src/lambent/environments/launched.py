"""The link to a foreign runtime client that a launcher of ours becomes: it waits for the variables on a socket, and
then speaks the Runtime API. See docs/internals/channel.md."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

from lambent.environments.link import LinkClosedError, ProtocolError, Reply
from lambent.environments.runtime_api import RuntimeApi

_LENGTH = struct.Struct(">I")
_READY: Final = b"\x01"


class Launched(RuntimeApi):
    """`sock` is this side's end of the socket pair, and belongs to us from here on."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket: socket.socket | None = sock
        self._up: asyncio.Future[Reply] = self._loop.create_future()
        self._loop.add_reader(sock, self._hear)

    def ready(self) -> "asyncio.Future[Reply]":
        return self._up

    def initialize(self, settings: Mapping[str, Any]) -> "asyncio.Future[Reply]":
        entries = (f"{name}={value}" for name, value in settings["variables"].items())
        message = "\0".join(entries).encode()
        if self._socket is not None:
            try:
                # Whole: the socket's buffer is empty, and many times larger than what a function may set.
                self._socket.send(_LENGTH.pack(len(message)) + message)
            except OSError:
                self.close()
            self._hang_up()
        return super().initialize(settings)

    def close(self) -> None:
        super().close()
        self._hang_up()
        self._fail(LinkClosedError("the launcher ended"))

    def _hear(self) -> None:
        assert self._socket is not None
        try:
            heard = self._socket.recv(1)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        self._loop.remove_reader(self._socket)
        if heard == _READY:
            self._up.set_result(Reply("ready"))
        else:
            self._fail(
                ProtocolError("the launcher hung up") if not heard else ProtocolError("not a launcher")
            )

    def _fail(self, error: Exception) -> None:
        if not self._up.done():
            self._up.set_exception(error)
            self._up.exception()  # who waits for it hears of it; nobody may

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
