"""A listening socket and the connections that came of it."""

import asyncio
import socket
from collections.abc import Sequence

from lambent.http.connection import Connection, Handler, Refusal
from lambent.http.head import HeadWriter
from lambent.http.limits import Limits
from lambent.http.message import Response
from lambent.http.reader import Streams

_BACKLOG = 1024
_SWEEP_SECONDS = 1.0
_REFUSED_POLITELY = 256
"""Connections beyond the most that are told why they are refused, for which each has to stay a while."""


def refuse_in_plain_text(status: int, message: str) -> Response:
    return Response(status, [("content-type", "text/plain")], f"{message}\n".encode())


class HttpListener:
    """Serves `handler` on one socket, from `start` to `close`.

    The handler is awaited in a task that is cancelled when its client goes away. An exception of it is
    logged and answered 500, so it had better not let any through. `refusal` words the answers to what could
    not be read. `streams` says of which requests the body is handed on as it arrives.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        limits: Limits | None = None,
        refusal: Refusal = refuse_in_plain_text,
        streams: Streams | None = None,
    ) -> None:
        self.handler = handler
        self.streams = streams
        self.refusal = refusal
        self.limits = limits or Limits()
        self.heads = HeadWriter()
        self.held_bytes = 0
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 takes a free one: see `addresses`. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._serve(await loop.create_server(lambda: Connection(self, loop), host, port, backlog=_BACKLOG))

    async def start_on(self, sock: socket.socket) -> None:
        """Serves a bound socket, which now belongs to the listener: `close` closes it."""
        loop = asyncio.get_running_loop()
        sock.setblocking(False)
        self._serve(await loop.create_server(lambda: Connection(self, loop), sock=sock, backlog=_BACKLOG))

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        assert self._server is not None
        return [one.getsockname()[:2] for one in self._server.sockets]

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    async def close(self, *, drain_seconds: float = 0.0) -> None:
        """Accepts no more, gives the requests in progress `drain_seconds` to be answered, then cancels them.

        When it returns, no socket, connection or task is left. Idempotent."""
        if self._server is not None:
            self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._connections):
            connection.finish()
        if self._connections and drain_seconds > 0:
            await self._wait_until_empty(drain_seconds)
        tasks = [one.task for one in self._connections if one.task is not None]
        for connection in list(self._connections):
            connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A transport reports its end in the next turn of the loop, whatever it was doing.
        await self._wait_until_empty(1.0)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def _wait_until_empty(self, seconds: float) -> None:
        self._empty.clear()
        if self._connections:
            try:
                await asyncio.wait_for(self._empty.wait(), seconds)
            except TimeoutError:
                return

    def _serve(self, server: asyncio.Server) -> None:
        assert self._server is None, "a listener serves one socket"
        self._server = server

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._connections):
            connection.sweep(now)
        # A thousand idle environments have two listeners each: without connections, none has a timer.
        self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep) if self._connections else None

    # What connections call.

    def opened(self, connection: Connection) -> bool:
        self._connections.add(connection)
        if self._sweeper is None and self._server is not None:
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)
        return len(self._connections) <= self.limits.connections_max

    def is_flooded(self) -> bool:
        return len(self._connections) > self.limits.connections_max + _REFUSED_POLITELY

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
