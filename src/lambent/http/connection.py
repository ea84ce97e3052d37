"""One HTTP/1.1 connection of a client: what is read is answered in order, one request at a time.

One task serves a connection: it takes what the reader has ready, awaits the handler, writes, and waits until there is
more. A task for every request would cost 2.5 µs of each. Connections have no timers; the listener looks at all of
them once a second (`sweep`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from lambent.http.body import BodyStream
from lambent.http.head import HeadWriter, ResponseHeaderError
from lambent.http.limits import Limits
from lambent.http.message import Request, Response
from lambent.http.reader import Phase, Received, RefusedRequestError, RequestReader, Streams
from lambent.http.writer import ResponseWriter

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[int, str], Response]
"""The answer to a request that could not be read: from a status and a sentence."""

_READ_AHEAD_BYTES = 1024 * 1024


class Owner(Protocol):
    """What a connection needs of the listener that it belongs to."""

    handler: Handler
    refusal: Refusal
    limits: Limits
    heads: HeadWriter
    streams: Streams | None
    held_bytes: int
    """Of all its connections: each adds and takes away its own."""

    def opened(self, connection: "Connection") -> bool:
        """False where there are too many connections already."""
        ...

    def is_flooded(self) -> bool:
        """Whether there are so many too many that none of them is told so."""
        ...

    def closed(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self._limits = owner.limits
        self._transport: asyncio.Transport
        self._reader: RequestReader
        self._writer: ResponseWriter
        self._refused: RefusedRequestError | None = None
        self._task: asyncio.Task[None] | None = None
        self._serving = False
        """Whether something is being answered, or about to be."""
        self._more: asyncio.Future[None] | None = None
        """What the task waits for while it is not."""
        self._ending = False
        """No further request is read: the connection closes when what was read is answered."""
        self._lingering = False
        self._since = loop.time()
        """When the present phase began."""
        self._held_bytes = 0
        self._swept_at = self._since
        self._body_bytes_seen = 0
        self._body_behind = 0.0
        """Seconds by which the body is later than it would be at the least rate."""
        self._reading_paused = False

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        self._reader = RequestReader(self._limits, address, self._owner.streams)
        self._writer = ResponseWriter(self._transport, self._owner.heads, self._loop)
        if not self._owner.opened(self):
            if self._owner.is_flooded():
                self._transport.abort()
                return
            self._refuse(RefusedRequestError(503, "Too many connections."))

    def data_received(self, data: bytes) -> None:
        if self._ending and self._reader.stream is None:
            return  # lingering: read, so that the client gets to read our last answer, and thrown away
        reader = self._reader
        phase = reader.phase
        try:
            self._hold(len(data))
            reader.feed(data)
        except RefusedRequestError as refused:
            if reader.stream is None:
                self._refuse(refused)
            else:
                self._transport.abort()  # its handler, which waits for the rest, ends with it
            return
        if reader.phase is not phase:
            self._since = self._loop.time()
            self._body_bytes_seen = 0
            self._body_behind = 0.0
        if reader.ready:
            if not self._serving:
                self._start_serving()
            elif not self._reading_paused and self._is_far_ahead():
                self._reading_paused = True
                self._transport.pause_reading()
        if reader.stream is not None:
            self._keep_pace(reader.stream)
        elif reader.wants_continue and not self._serving:
            self._send_continue()

    def eof_received(self) -> bool | None:
        # A client that closes and one that only ends its half look the same. The first is what happens, and
        # its handler must not run on for nobody.
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending = True
        if self._task is not None:
            self._task.cancel()
        self._writer.wake()
        self._let_go(self._held_bytes)
        self._owner.closed(self)

    def pause_writing(self) -> None:
        self._writer.pause()

    def resume_writing(self) -> None:
        self._writer.resume()

    # The listener's side.

    @property
    def task(self) -> "asyncio.Task[None] | None":
        return self._task

    def finish(self) -> None:
        """Answers what has been read, then closes; at once where there is nothing to answer."""
        self._ending = True
        if not self._serving:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def sweep(self, now: float) -> None:
        """Ends what takes too long. Called about once a second."""
        if self._writer.stalls(now, self._limits.write_seconds):
            self._transport.abort()
            return
        if self._lingering:
            if now - self._since > self._limits.linger_seconds:
                self._transport.abort()
            return
        since_swept, self._swept_at = now - self._swept_at, now
        stream = self._reader.stream
        if stream is not None and stream.is_awaited and self._body_stalls(since_swept):
            self._transport.abort()
            return
        if self._ending or self._serving:
            return
        elapsed = now - self._since
        match self._reader.phase:
            case Phase.IDLE if elapsed > self._limits.idle_seconds:
                self.finish()
            case Phase.HEAD if elapsed > self._limits.head_seconds:
                self._refuse(RefusedRequestError(408, "The headers took too long."))
            case Phase.BODY if self._body_stalls(min(since_swept, elapsed)):
                self._refuse(RefusedRequestError(408, "The body took too long."))

    def _body_stalls(self, seconds: float) -> bool:
        """Whether too little came in these seconds and before."""
        body_bytes = self._reader.body_bytes
        if body_bytes < self._body_bytes_seen:
            self._body_bytes_seen = (
                0  # another request's body, read in one piece with the end of the one before
            )
        arrived = body_bytes - self._body_bytes_seen
        self._body_bytes_seen = body_bytes
        in_time = arrived / self._limits.body_bytes_per_second_min
        self._body_behind = max(0.0, self._body_behind + seconds - in_time)
        return self._body_behind > self._limits.body_seconds

    def _hold(self, size: int) -> None:
        """Counts what is kept until it is answered. Raises RefusedRequestError where all together is too much."""
        owner = self._owner
        self._held_bytes += size
        owner.held_bytes += size
        if owner.held_bytes > self._limits.held_bytes_max and self._held_bytes > self._limits.held_bytes_free:
            raise RefusedRequestError(503, "Too much is being sent at the same time. Try again in a moment.")

    def _let_go(self, size: int) -> None:
        size = min(size, self._held_bytes)
        self._held_bytes -= size
        self._owner.held_bytes -= size

    def _is_far_ahead(self) -> bool:
        """Whether a client sends faster than it is answered: what it sent is kept in memory."""
        ready = self._reader.ready
        return len(ready) > self._limits.pipelined_max or (
            len(ready) > 1 and sum(len(one.request.body) for one in ready) > _READ_AHEAD_BYTES
        )

    # Serving.

    def _start_serving(self) -> None:
        self._serving = True
        if self._task is None:
            self._task = self._loop.create_task(self._run())
        elif self._more is not None:
            self._more.set_result(None)

    async def _run(self) -> None:
        while True:
            await self._serve()
            self._more = self._loop.create_future()
            await self._more

    async def _serve(self) -> None:
        reader = self._reader
        ready = reader.ready
        try:
            while ready:
                received = ready.popleft()
                if received.stream is not None:
                    self._attach(received.stream)
                await self._answer(received)
                # All of it where nothing is left: what framed it is not in its size.
                at_rest = not ready and reader.phase is Phase.IDLE
                self._let_go(self._held_bytes if at_rest else received.size)
                del received
                if self._writer.paused:
                    await self._writer.wait_writable()
                self._go_on_reading()
        except asyncio.CancelledError:
            # Also where the handler was cancelled by something of its own: its client must not wait for ever.
            self._transport.abort()
            raise
        finally:
            self._serving = False
            self._since = self._loop.time()
        if self._refused is not None:
            self._refuse(self._refused)
        elif self._lingering:
            return
        elif self._ending:
            self._transport.close()
        elif reader.wants_continue:
            self._send_continue()

    async def _answer(self, received: Received) -> None:
        try:
            response = await self._owner.handler(received.request)
        except Exception:
            log.exception("the handler of %s %s failed", received.request.method, received.request.path)
            response = self._owner.refusal(500, "Internal error.")
        if not received.keep_alive:
            self._ending = True
        unread = received.stream is not None and not received.stream.ended
        if unread:
            self._ending = True
            self._reader.abandon()
        closing = self._ending and not self._reader.ready and self._refused is None
        try:
            await self._send(response, received, closing)
        except ResponseHeaderError:
            log.exception(
                "the answer to %s %s cannot be sent", received.request.method, received.request.path
            )
            await self._send(self._owner.refusal(500, "Internal error."), received, closing)
        if unread:
            self._linger()

    def _attach(self, stream: BodyStream) -> None:
        """Reads on as the handler takes what has arrived, and not before it wants any."""

        def take(size: int) -> None:
            self._let_go(size)
            if stream.is_low:
                self._go_on_reading()

        stream.taken = take
        stream.wanted = self._want_body

    def _want_body(self) -> None:
        if self._reader.wants_continue:
            self._send_continue()
        self._go_on_reading()

    def _keep_pace(self, stream: BodyStream) -> None:
        if stream.is_full and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _go_on_reading(self) -> None:
        if self._reading_paused and not self._is_far_ahead():
            self._reading_paused = False
            self._transport.resume_reading()

    async def _send(self, response: Response, received: Received, closing: bool) -> None:
        body, head_only, http10 = response.body, received.request.method == "HEAD", received.http10
        if isinstance(body, bytes):
            self._writer.send(response, closing=closing, head_only=head_only, http10=http10)
        elif not await self._writer.send_stream(
            response, body, received.request.path, closing=closing, head_only=head_only, http10=http10
        ):
            self._ending = True

    def _send_continue(self) -> None:
        self._reader.wants_continue = False
        self._writer.send_continue()

    def _refuse(self, refused: RefusedRequestError) -> None:
        """Answers what cannot be read, after what was read before it, and lets the client read that
        answer."""
        self._ending = True
        self._reader.abandon()
        if self._serving or self._reader.ready:
            self._refused = refused
            if not self._serving:
                self._start_serving()
            return
        response = self._owner.refusal(refused.status, refused.message)
        self._writer.send(response, closing=True)
        self._let_go(self._held_bytes)
        self._linger()

    def _linger(self) -> None:
        """What the client still sends is read and thrown away for a moment, so that it gets to read our answer."""
        self._lingering = True
        self._since = self._loop.time()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
