"""A streamed response between the function that writes it and the caller who reads it.

The function is held back while the caller is behind. A caller who leaves stops nothing: the invocation goes on, and
what it writes is thrown away, as on AWS.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.model.invocation import InvocationResult

MIB = 1024 * 1024
_AHEAD_MOST = 256 * 1024
"""Bytes that the function may be ahead of the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """`uncapped_bytes` are sent as fast as they can be, what follows at `bytes_per_second`."""

    bytes_most: int = 200 * MIB
    uncapped_bytes: int = 6 * MIB
    bytes_per_second: int = 2 * MIB


class ResponseStream:
    """Implements model.invocation.ResponseSink. `result` is there when `pieces` has ended."""

    def __init__(
        self,
        limits: StreamLimits,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.executed_version = ""
        self.content_type: str | None = None
        self.result: InvocationResult | None = None
        self.streamed = False
        """Whether the function streams; else its payload is that of the result."""
        self._limits = limits
        self._monotonic = clock.monotonic
        self._sleep = sleep
        self._pieces: deque[bytes] = deque()
        self._ahead = 0
        self._written = 0
        self._paused = False
        self._left = False
        self._pause: Callable[[], None] = lambda: None
        self._resume: Callable[[], None] = lambda: None
        self._error: BaseException | None = None
        self._ended = False
        self._news = asyncio.Event()

    # The function's side

    async def run(self, invocation: Awaitable[InvocationResult]) -> None:
        """To the invocation's end, whoever reads."""
        try:
            self.result = await invocation
            self.executed_version = self.result.executed_version
        except BaseException as error:
            self._error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._ended = True
            self._news.set()

    def begin(self, content_type: str | None, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self.streamed = True
        self.content_type = content_type
        self._pause, self._resume = pause, resume
        self._news.set()

    def write(self, piece: bytes) -> None:
        self._written += len(piece)
        if self._left or self._written > self._limits.bytes_most:
            return
        self._pieces.append(piece)
        self._ahead += len(piece)
        if self._ahead > _AHEAD_MOST and not self._paused:
            self._paused = True
            self._pause()
        self._news.set()

    def finish(self) -> bytes | None:
        return None if self._written > self._limits.bytes_most else b""

    # The caller's side

    async def begun(self) -> None:
        """Until the function streams, or has ended without. Raises what kept it from running."""
        while not self.streamed and not self._ended:
            await self._more()
        if self._error is not None and not self.streamed:
            raise self._error

    async def pieces(self) -> AsyncIterator[bytes]:
        """What was written, as it is written, no faster than AWS sends it. Raises what broke the invocation off."""
        pace = _Pace(self._limits, self._monotonic)
        try:
            while self._pieces or not self._ended:
                if not self._pieces:
                    await self._more()
                    continue
                if (wait := pace.wait_seconds()) > 0:
                    await self._sleep(wait)
                piece = self._pieces.popleft()
                self._took(len(piece))
                yield piece
                pace.sent(len(piece))
        finally:
            self.leave()
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Nobody reads any more."""
        self._left = True
        self._pieces.clear()
        self._took(self._ahead)

    def _took(self, size: int) -> None:
        self._ahead -= size
        if self._paused and self._ahead <= _AHEAD_MOST // 2:
            self._paused = False
            self._resume()

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()


class _Pace:
    """When the next piece may be sent."""

    def __init__(self, limits: StreamLimits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._sent = 0
        self._free_at = 0.0

    def wait_seconds(self) -> float:
        return self._free_at - self._monotonic()

    def sent(self, size: int) -> None:
        self._sent += size
        if self._sent > self._limits.uncapped_bytes:
            since = max(self._free_at, self._monotonic())
            self._free_at = since + size / self._limits.bytes_per_second
