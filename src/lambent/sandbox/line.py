"""The server's end of a packet socket to one process of a sandbox, on the event loop."""

import asyncio
from asyncio import Future
from collections.abc import Sequence

from lambent.sandbox import messages
from lambent.sandbox.messages import Message
from lambent.sandbox.port import SandboxError

Received = tuple[Message, list[int]]


class Line:
    """Watched by the loop only while somebody waits for an answer: most of its life nothing is said. One reader."""

    def __init__(self) -> None:
        self._socket, self._far = messages.socket_pair()
        self._socket.setblocking(False)
        self._waiting: Future[Received | None] | None = None

    @property
    def far(self) -> int:
        """The descriptor for the other process, until `hand_over`."""
        return self._far.fileno()

    def hand_over(self) -> None:
        """Closes our copy of the far end; now the line ends when the other process does."""
        self._far.close()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Raises SandboxError."""
        try:
            messages.send(self._socket, message, descriptors)
        except messages.MessageTooLargeError as error:
            raise SandboxError(f"too large for a sandbox: {error}") from error
        except OSError as error:
            raise SandboxError("the sandbox has ended") from error

    async def receive(self) -> Received | None:
        """None when the other end is closed."""
        if self._socket.fileno() < 0:
            return None
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        loop.add_reader(self._socket.fileno(), self._readable)
        try:
            received: Received | None = await waiting
            return received
        finally:
            self._waiting = None
            if self._socket.fileno() >= 0:
                loop.remove_reader(self._socket.fileno())

    def take(self) -> Received | None:
        """What has arrived already and nobody waits for."""
        if self._socket.fileno() < 0:
            return None
        try:
            return messages.receive(self._socket)
        except BlockingIOError:
            return None

    def close(self) -> None:
        self._far.close()
        if self._socket.fileno() < 0:
            return
        if self._waiting is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._readable()  # the last word may have arrived together with the end
            if not self._waiting.done():
                self._waiting.set_result(None)
        self._socket.close()

    def _readable(self) -> None:
        assert self._waiting is not None
        if self._waiting.done():
            return
        try:
            self._waiting.set_result(messages.receive(self._socket))
        except BlockingIOError:
            return
        except messages.MessageTooLargeError as error:
            self._waiting.set_exception(SandboxError(str(error)))
