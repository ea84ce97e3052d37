"""Log events on their way from environments to the log store: buffered per stream, written in batches, off the path.

A crash loses what the last interval buffered and nothing older. Where the store cannot keep up, environments stop
being read (`full`), so that a function which prints without end waits for the disk, not for the server's memory.
"""

import asyncio
import logging
from collections.abc import Callable

from lambent.base.clock import Clock
from lambent.store.ports.errors import StoreError
from lambent.store.ports.logs import LogEvent, LogStore

log = logging.getLogger(__name__)

_BUFFER_BYTES_MOST = 32 << 20

Batch = tuple[str, str, str, str, list[LogEvent]]
"""account, region, group, stream, events"""


class LogStream:
    """Where one environment's log goes. `write` costs a list append."""

    __slots__ = ("_delivery", "account_id", "events", "group", "name", "region")

    def __init__(self, delivery: "LogDelivery", account_id: str, region: str, group: str, name: str) -> None:
        self._delivery = delivery
        self.account_id = account_id
        self.region = region
        self.group = group
        self.name = name
        self.events: list[tuple[int, str]] = []

    def write(self, message: str, at_ms: int) -> None:
        if not self.events:
            self._delivery.dirty.append(self)
        self.events.append((at_ms, message))
        self._delivery.buffered_bytes += len(message)


class LogDelivery:
    def __init__(self, store: LogStore, clock: Clock, interval_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._interval = interval_seconds
        self.dirty: list[LogStream] = []
        self.buffered_bytes = 0
        self._subscribers: list[Callable[[Batch], None]] = []
        self._flushing = asyncio.Lock()

    @property
    def full(self) -> bool:
        return self.buffered_bytes > _BUFFER_BYTES_MOST

    def stream(self, account_id: str, region: str, group: str, name: str) -> LogStream:
        return LogStream(self, account_id, region, group, name)

    def subscribe(self, receive: Callable[[Batch], None]) -> Callable[[], None]:
        """Calls `receive` with every batch after it was stored (live tail). Returns how to stop that."""
        self._subscribers.append(receive)
        return lambda: self._subscribers.remove(receive)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self.flush()

    async def flush(self) -> None:
        """Writes everything buffered so far; what the store refuses stays buffered for the next turn."""
        async with self._flushing:
            if not self.dirty:
                return
            streams, self.dirty = self.dirty, []
            taken, self.buffered_bytes = self.buffered_bytes, 0
            ingestion_ms = int(self._clock.now() * 1000)
            pending = [(stream, stream.events) for stream in streams]
            for stream in streams:
                stream.events = []
            batches = [_batch(stream, events, ingestion_ms) for stream, events in pending]
            try:
                await self._store.append_many(batches)
            except StoreError:
                log.exception(
                    "log events could not be stored; %d streams wait for the next try", len(pending)
                )
                self._put_back(pending, taken)
                return
        for subscriber in list(self._subscribers):
            for batch in batches:
                subscriber(batch)

    def _put_back(self, pending: list[tuple[LogStream, list[tuple[int, str]]]], taken: int) -> None:
        for stream, events in pending:
            if not stream.events:
                self.dirty.append(stream)
            stream.events = events + stream.events
        self.buffered_bytes += taken


def _batch(stream: LogStream, events: list[tuple[int, str]], ingestion_ms: int) -> Batch:
    return (
        stream.account_id,
        stream.region,
        stream.group,
        stream.name,
        [LogEvent(at_ms, ingestion_ms, message) for at_ms, message in events],
    )
