"""Log events on their way from environments to the log store: buffered per stream, written in batches, off the path.

A crash loses what the last interval buffered and nothing older. Where the store cannot keep up, environments stop
being read (`hold_back`), so that a function which prints without end waits for the disk, not for the server's memory.
Only where the store takes nothing for so long that the platform's own lines fill the buffer are new events dropped.
"""

import asyncio
import contextlib
import logging
from typing import Protocol

from lambent.base.clock import Clock
from lambent.store.ports.logs import LogEvent, LogStore

log = logging.getLogger(__name__)

_BUFFER_BYTES_MOST = 32 << 20
_DROP_ABOVE_BYTES = 2 * _BUFFER_BYTES_MOST
_EVENT_BYTES = 200
"""What an event costs us beside its characters."""

Batch = tuple[str, str, str, str, list[LogEvent]]
"""account, region, group, stream, events"""


class Pausable(Protocol):
    def pause(self) -> None: ...

    def resume(self) -> None: ...


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
        delivery = self._delivery
        if delivery.buffered_bytes > _DROP_ABOVE_BYTES:
            delivery.dropped += 1
            return
        if not self.events:
            delivery.dirty.append(self)
        self.events.append((at_ms, message))
        delivery.buffered_bytes += len(message) + _EVENT_BYTES


class LogDelivery:
    def __init__(self, store: LogStore, clock: Clock, interval_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._interval = interval_seconds
        self.dirty: list[LogStream] = []
        self.buffered_bytes = 0
        """Until they are stored: what a flush has under way counts."""
        self.dropped = 0
        self._held_back: set[Pausable] = set()
        self._pressed = asyncio.Event()
        self._flushing = asyncio.Lock()

    def hold_back(self, output: Pausable) -> None:
        """Called after each reading of an output: pauses it until there is room again, where there is none."""
        if self.buffered_bytes > _BUFFER_BYTES_MOST:
            output.pause()
            self._held_back.add(output)
            self._pressed.set()

    def stream(self, account_id: str, region: str, group: str, name: str) -> LogStream:
        return LogStream(self, account_id, region, group, name)

    async def run(self) -> None:
        """Flushes for ever: at every interval, and sooner where outputs are held back."""
        stored = True
        while True:
            if stored:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._pressed.wait(), self._interval)
            else:
                await asyncio.sleep(self._interval)
            stored = await self.flush()

    async def flush(self) -> bool:
        """Writes everything buffered so far; what the store refuses stays buffered for the next turn. Whether it was
        stored. A flush goes on when the caller is cancelled, and the next one waits for its end."""
        return await asyncio.shield(asyncio.get_running_loop().create_task(self._flush()))

    async def _flush(self) -> bool:
        async with self._flushing:
            self._pressed.clear()
            streams, self.dirty = self.dirty, []
            taken_bytes = self.buffered_bytes
            ingestion_ms = int(self._clock.now() * 1000)
            pending = [(stream, stream.events) for stream in streams]
            for stream in streams:
                stream.events = []
            try:
                if pending:
                    await self._store.append_many(
                        [_batch(stream, events, ingestion_ms) for stream, events in pending]
                    )
            except Exception:
                log.exception("log events could not be stored; they wait for the next try")
                self._put_back(pending)
                return False
            self.buffered_bytes -= taken_bytes
            self._let_on()
            return True

    def _put_back(self, pending: list[tuple[LogStream, list[tuple[int, str]]]]) -> None:
        for stream, events in pending:
            if not stream.events:
                self.dirty.append(stream)
            stream.events = events + stream.events

    def _let_on(self) -> None:
        if self.dropped:
            log.error("%d log events were dropped while the store took none", self.dropped)
            self.dropped = 0
        held_back, self._held_back = self._held_back, set()
        for output in held_back:
            output.resume()


def _batch(stream: LogStream, events: list[tuple[int, str]], ingestion_ms: int) -> Batch:
    return (
        stream.account_id,
        stream.region,
        stream.group,
        stream.name,
        [LogEvent(at_ms, ingestion_ms, message) for at_ms, message in events],
    )
