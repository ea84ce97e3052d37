"""One HTTP/1.1 connection of a client: what is read is answered in order, one request at a time.

One task serves a connection while there is something to serve: it takes what the reader has ready, awaits
the handler, writes, and ends. A connection without a request costs no task and no timer; the listener looks
at all of them once a second (`sweep`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, cast

from lambent.http.body import BodyStream
from lambent.http.head import HeadWriter, ResponseHeaderError
from lambent.http.limits import Limits
from lambent.http.message import Request, Response
from lambent.http.reader import Phase, Received, RefusedRequestError, RequestReader, Streams

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[int, str], Response]
"""The answer to a request that could not be read: from a status and a sentence."""

_ONE_WRITE_BYTES = 64 * 1024
_READ_AHEAD_BYTES = 1024 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


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
        self._refused: RefusedRequestError | None = None
        self._task: asyncio.Task[None] | None = None
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
        self._writable: asyncio.Future[None] | None = None
        self._writing_paused = False
        self._unwritten_bytes = 0
        self._write_progress_at = 0.0

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        self._reader = RequestReader(self._limits, address, self._owner.streams)
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
            if self._task is None:
                self._task = self._loop.create_task(self._serve())
            elif not self._reading_paused and self._is_far_ahead():
                self._reading_paused = True
                self._transport.pause_reading()
        if reader.stream is not None:
            self._keep_pace(reader.stream)
        elif reader.wants_continue and self._task is None:
            self._send_continue()

    def eof_received(self) -> bool | None:
        # A client that closes and one that only ends its half look the same. The first is what happens, and
        # its handler must not run on for nobody.
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending = True
        if self._task is not None:
            self._task.cancel()
        self._wake_writer()
        self._let_go(self._held_bytes)
        self._owner.closed(self)

    def pause_writing(self) -> None:
        self._writing_paused = True
        self._unwritten_bytes = self._transport.get_write_buffer_size()
        self._write_progress_at = self._loop.time()

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._wake_writer()

    # The listener's side.

    @property
    def task(self) -> "asyncio.Task[None] | None":
        return self._task

    def finish(self) -> None:
        """Answers what has been read, then closes; at once where there is nothing to answer."""
        if self._task is None:
            self._ending = True
            self._transport.close()
        else:
            self._ending = True

    def abort(self) -> None:
        self._transport.abort()

    def sweep(self, now: float) -> None:
        """Ends what takes too long. Called about once a second."""
        if self._writing_paused and self._write_stalls(now):
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
        if self._ending or self._task is not None:
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

    def _write_stalls(self, now: float) -> bool:
        unwritten = self._transport.get_write_buffer_size()
        if unwritten != self._unwritten_bytes:
            self._unwritten_bytes = unwritten
            self._write_progress_at = now
        return now - self._write_progress_at > self._limits.write_seconds

    def _is_far_ahead(self) -> bool:
        """Whether a client sends faster than it is answered: what it sent is kept in memory."""
        ready = self._reader.ready
        return len(ready) > self._limits.pipelined_max or (
            len(ready) > 1 and sum(len(one.request.body) for one in ready) > _READ_AHEAD_BYTES
        )

    # Serving.

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
                if self._writing_paused:
                    await self._wait_writable()
                self._go_on_reading()
        except asyncio.CancelledError:
            # Also where the handler was cancelled by something of its own: its client must not wait for ever.
            self._transport.abort()
            raise
        finally:
            self._task = None
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
        if not isinstance(response.body, bytes):
            await self._send_stream(response, response.body, received, closing)
            return
        bodiless = received.request.method == "HEAD" or response.status in (204, 304)
        head = self._owner.heads.render(
            response.status,
            response.headers,
            framing=_length_line(response, received.request.method == "HEAD"),
            closing=closing,
            http10=received.http10,
        )
        body = b"" if bodiless else response.body
        if len(body) <= _ONE_WRITE_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    async def _send_stream(
        self, response: Response, body: AsyncIterator[bytes], received: Received, closing: bool
    ) -> None:
        """A body that is produced as it goes: by its declared length, in chunks, or (HTTP/1.0) until the
        end."""
        length = _declared_length(response)
        chunked = length is None and not received.http10
        if length is None and received.http10:
            closing = self._ending = True
        framing = (
            "transfer-encoding: chunked\r\n"
            if chunked
            else ""
            if length is None
            else f"content-length: {length}\r\n"
        )
        try:
            head = self._owner.heads.render(
                response.status, response.headers, framing=framing, closing=closing, http10=received.http10
            )
            self._transport.write(head)
            if received.request.method != "HEAD":
                await self._send_body(body, chunked, length)
        except ResponseHeaderError:
            raise
        except Exception:
            # The status has been sent; that the body is not whole can only be said by a connection that
            # breaks off.
            log.exception("the streamed answer to %s broke off", received.request.path)
            self._ending = True
            self._transport.abort()
        finally:
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()

    async def _send_body(self, body: AsyncIterator[bytes], chunked: bool, length: int | None) -> None:
        sent = 0
        async for piece in body:
            if not piece:
                continue
            sent += len(piece)
            assert length is None or sent <= length, f"a body of {length} bytes goes on"
            if chunked:
                self._transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
            else:
                self._transport.write(piece)
            await self._wait_writable()
        assert length is None or sent == length, f"a body of {length} bytes ended after {sent}"
        if chunked:
            self._transport.write(b"0\r\n\r\n")

    def _send_continue(self) -> None:
        self._reader.wants_continue = False
        self._transport.write(_CONTINUE)

    async def _wait_writable(self) -> None:
        """Until the client has taken enough of what was written."""
        if self._writing_paused and not self._transport.is_closing():
            self._writable = self._loop.create_future()
            await self._writable

    def _wake_writer(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _refuse(self, refused: RefusedRequestError) -> None:
        """Answers what cannot be read, after what was read before it, and lets the client read that
        answer."""
        self._ending = True
        self._reader.abandon()
        if self._task is not None or self._reader.ready:
            self._refused = refused
            if self._task is None:
                self._task = self._loop.create_task(self._serve())
            return
        response = self._owner.refusal(refused.status, refused.message)
        head = self._owner.heads.render(
            response.status,
            response.headers,
            framing=_length_line(response, False),
            closing=True,
            http10=False,
        )
        assert isinstance(response.body, bytes)
        self._transport.write(head + response.body)
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


def _declared_length(response: Response) -> int | None:
    for name, value in response.headers:
        if name.lower() == "content-length":
            return int(value)
    return None


def _length_line(response: Response, head_only: bool) -> str:
    if response.status in (204, 304):
        return ""
    assert isinstance(response.body, bytes)
    if head_only and not response.body:
        # The answer to HEAD may name the length that GET would have.
        declared = _declared_length(response)
        return "content-length: 0\r\n" if declared is None else f"content-length: {declared}\r\n"
    return f"content-length: {len(response.body)}\r\n"
