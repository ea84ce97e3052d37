"""A request body that is handed on as it arrives, for what is too large to be held in memory."""

import asyncio
from collections import deque
from collections.abc import Callable

_HIGH_BYTES = 1024 * 1024
_LOW_BYTES = 256 * 1024


class BodyStream:
    """An async iterator of the pieces in which it arrives: joined, all of it would be copied once more. One reader;
    what nobody reads stays with the client, but for a megabyte.

    `wanted` is called when the reader waits for bytes, `taken` with how many it took."""

    def __init__(self) -> None:
        self.wanted: Callable[[], None] = _nothing
        self.taken: Callable[[int], None] = _nothing_of
        self.ended = False
        """The last byte has arrived."""
        self.trailers: dict[str, str] = {}
        """By their names in lower case; whole with the last byte."""
        self.buffered = 0
        self._pieces: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        return self.buffered > _HIGH_BYTES

    @property
    def is_low(self) -> bool:
        return self.buffered < _LOW_BYTES

    @property
    def is_awaited(self) -> bool:
        return self._waiting is not None

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.buffered += len(piece)
        self._wake()

    def end(self) -> None:
        self.ended = True
        self._wake()

    def __aiter__(self) -> "BodyStream":
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self.ended:
                raise StopAsyncIteration
            self._waiting = asyncio.get_running_loop().create_future()
            self.wanted()
            try:
                await self._waiting
            finally:
                self._waiting = None
        piece = self._pieces.popleft()
        self.buffered -= len(piece)
        self.taken(len(piece))
        return piece

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _nothing() -> None:
    return None


def _nothing_of(size: int) -> None:
    return None
