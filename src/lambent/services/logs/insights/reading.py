"""The events that a query is about: of all its log groups, the newest first."""

import heapq
from collections.abc import AsyncGenerator, Sequence

from lambent.services.logs.insights.record import Event
from lambent.services.logs.page import Position, chunk_size, position
from lambent.store.ports.logs import LogEvent, LogStore

_CHUNK = 1000
_CHUNK_BYTES = 4 * 1_048_576


class GroupReader:
    """One log group's events, read as they are taken. A deleted group has none."""

    def __init__(
        self, store: LogStore, account_id: str, region: str, group: str, start_ms: int, end_ms: int
    ) -> None:
        self._store = store
        self._account_id, self._region, self.group = account_id, region, group
        self._start_ms, self._end_ms = start_ms, end_ms
        self._waiting: list[LogEvent] = []  # the next one last
        self._at: Position | None = None
        self._read, self._read_bytes = 0, 0
        self._more = True

    async def next(self) -> LogEvent | None:
        if not self._waiting and self._more:
            await self._fill()
        return self._waiting.pop() if self._waiting else None

    async def _fill(self) -> None:
        most = chunk_size(self._read, self._read_bytes)
        found = await self._store.read(
            self._account_id,
            self._region,
            self.group,
            streams=None,
            start_ms=self._start_ms,
            end_ms=self._end_ms,
            after=None,
            before=self._at,
            descending=True,
            limit=most,
        )
        self._more = len(found) == most
        if found:
            self._at = position(found[-1])
        self._read += len(found)
        self._read_bytes += sum(len(event.message) for event in found)
        self._waiting = list(reversed(found))


async def chunks(account_id: str, readers: Sequence[GroupReader]) -> AsyncGenerator[list[Event], None]:
    """At most a thousand events a time, or 4 MB and one event."""
    heads: list[tuple[int, int, int, LogEvent]] = []

    async def advance(number: int) -> None:
        event = await readers[number].next()
        if event is not None:
            heapq.heappush(heads, (-event.timestamp_ms, -event.id, number, event))

    for number in range(len(readers)):
        await advance(number)
    chunk: list[Event] = []
    size = 0
    while heads:
        _, _, number, event = heapq.heappop(heads)
        chunk.append(_of(account_id, readers[number].group, event))
        size += len(event.message)
        if len(chunk) == _CHUNK or size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        await advance(number)
    if chunk:
        yield chunk


def _of(account_id: str, group: str, event: LogEvent) -> Event:
    return Event(
        event.timestamp_ms, event.ingestion_ms, event.message, event.stream, account_id, group, event.id
    )
