"""Responses out, on one connection: bodies that are there or are produced as they go, to a client that may be slow."""

import asyncio
import logging
from collections.abc import AsyncIterator

from lambent.http.head import HeadWriter, ResponseHeaderError
from lambent.http.message import Response

log = logging.getLogger(__name__)

_ONE_WRITE_BYTES = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ResponseWriter:
    """`paused` while the client takes less than is written."""

    def __init__(
        self, transport: asyncio.Transport, heads: HeadWriter, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.paused = False
        self._transport = transport
        self._heads = heads
        self._loop = loop
        self._writable: asyncio.Future[None] | None = None
        self._unwritten_bytes = 0
        self._progress_at = 0.0

    def pause(self) -> None:
        self.paused = True
        self._unwritten_bytes = self._transport.get_write_buffer_size()
        self._progress_at = self._loop.time()

    def resume(self) -> None:
        self.paused = False
        self.wake()

    def wake(self) -> None:
        """Whoever waits goes on: there is room, or nobody to write to."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    async def wait_writable(self) -> None:
        """Until the client has taken enough of what was written."""
        if self.paused and not self._transport.is_closing():
            self._writable = self._loop.create_future()
            await self._writable

    def stalls(self, now: float, seconds: float) -> bool:
        """Whether the client has taken nothing for so long. To be asked now and then."""
        if not self.paused:
            return False
        unwritten = self._transport.get_write_buffer_size()
        if unwritten != self._unwritten_bytes:
            self._unwritten_bytes = unwritten
            self._progress_at = now
        return now - self._progress_at > seconds

    def send_continue(self) -> None:
        self._transport.write(_CONTINUE)

    def send(
        self, response: Response, *, closing: bool, head_only: bool = False, http10: bool = False
    ) -> None:
        """A response whose body is there; the connection ends with it where it is `closing`. Raises
        ResponseHeaderError, with nothing sent."""
        assert isinstance(response.body, bytes)
        head = self._heads.render(
            response.status,
            response.headers,
            framing=_length_line(response, response.body, head_only),
            closing=closing,
            http10=http10,
        )
        body = b"" if head_only or response.status in (204, 304) else response.body
        if len(body) <= _ONE_WRITE_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    async def send_stream(
        self,
        response: Response,
        body: AsyncIterator[bytes],
        path: str,
        *,
        closing: bool,
        head_only: bool,
        http10: bool,
    ) -> bool:
        """A body that is produced as it goes: by its declared length, in chunks, or (HTTP/1.0) until the end. Returns
        whether another response may follow. `path` is for our log. Raises ResponseHeaderError, with nothing sent."""
        length = _declared_length(response)
        chunked = length is None and not http10
        until_the_end = length is None and http10
        try:
            head = self._heads.render(
                response.status,
                response.headers,
                framing=_framing(length, chunked=chunked),
                closing=closing or until_the_end,
                http10=http10,
            )
            self._transport.write(head)
            if not head_only:
                await self._send_body(body, chunked, length)
        except ResponseHeaderError:
            raise
        except Exception:
            # The status has been sent; that the body is not whole can only be said by a connection that breaks off.
            log.exception("the streamed answer to %s broke off", path)
            self._transport.abort()
            return False
        finally:
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()
        return not until_the_end

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
            await self.wait_writable()
        assert length is None or sent == length, f"a body of {length} bytes ended after {sent}"
        if chunked:
            self._transport.write(b"0\r\n\r\n")


def _framing(length: int | None, *, chunked: bool) -> str:
    if chunked:
        return "transfer-encoding: chunked\r\n"
    return "" if length is None else f"content-length: {length}\r\n"


def _declared_length(response: Response) -> int | None:
    for name, value in response.headers:
        if name.lower() == "content-length":
            return int(value)
    return None


def _length_line(response: Response, body: bytes, head_only: bool) -> str:
    if response.status in (204, 304):
        return ""
    if head_only and not body:
        # The answer to HEAD may name the length that GET would have.
        declared = _declared_length(response)
        return "content-length: 0\r\n" if declared is None else f"content-length: {declared}\r\n"
    return f"content-length: {len(body)}\r\n"
