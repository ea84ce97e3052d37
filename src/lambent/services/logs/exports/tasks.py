"""Exports, carried out one after the other: stream by stream, a compressed object for every 64 MB of it."""

import asyncio
import gzip
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.model.error import ServiceException
from lambent.model.log_export import LogExport
from lambent.model.service import Client
from lambent.services.logs.exports.bucket import Bucket
from lambent.services.logs.page import Position, chunk_size, position
from lambent.store.ports.errors import NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.logs import LogEvent, LogStore
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

UNFINISHED = frozenset({"PENDING", "RUNNING"})
PREFIX = "exportedlogs"
_GONE_MS = 60_000
_SAY_MS = 5_000
_OBJECT_BYTES = 64 * 1_048_576
_STREAMS_A_TIME = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ExportTasks:
    def __init__(
        self,
        records: NamedRecords[LogExport],
        store: LogStore,
        client: Client,
        clock: Clock,
        *,
        pending_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pending_seconds` is how long an export is seen before it begins."""
        self._pending_seconds = pending_seconds
        self._sleep = sleep
        self._records = records
        self._store = store
        self._client = client
        self._clock = clock
        self._tasks = Tasks("log exports")
        self._running: dict[Name, asyncio.Task[None]] = {}
        self.close = self._tasks.close

    async def start(self, name: Name, export: LogExport) -> None:
        export = replace(export, seen_ms=self._now_ms())
        await self._records.insert(name, export)
        task = self._running[name] = self._tasks.start(self._run(name, export), name.name)
        task.add_done_callback(lambda _: self._running.pop(name, None))

    async def all(self, account_id: str, region: str) -> list[tuple[Name, LogExport]]:
        """In the order of their making. What nobody carries out any more has failed."""
        found: list[tuple[Name, LogExport]] = []
        after = ("", "")
        while page := await self._records.page(account_id, region, after=after, limit=500):
            for name, export in page:
                found.append((name, await self._current(name, export)))
            after = ("", page[-1][0].name)
        return sorted(found, key=lambda entry: entry[1].created_ms)

    async def cancel(self, name: Name) -> bool:
        """Whether it was unfinished. Raises NotFoundError."""
        while True:
            export = await self._records.get(name)
            if export is None:
                raise NotFoundError(name.name)
            export = await self._current(name, export)
            if export.status not in UNFINISHED:
                return False
            cancelled = replace(
                export, status="CANCELLED", message="Cancelled by user", completed_ms=self._now_ms()
            )
            try:
                await self._records.replace(name, cancelled, previous=export)
            except StaleRevisionError:
                continue
            if (task := self._running.get(name)) is not None:
                task.cancel()
            return True

    async def _current(self, name: Name, export: LogExport) -> LogExport:
        finished, seen_ago_ms = export.status not in UNFINISHED, self._now_ms() - export.seen_ms
        if finished or name in self._running or seen_ago_ms < _GONE_MS:
            return export
        failed = replace(
            export, status="FAILED", message="The task was interrupted.", completed_ms=self._now_ms()
        )
        try:
            await self._records.replace(name, failed, previous=export)
        except (StaleRevisionError, NotFoundError):
            return export
        return failed

    async def _run(self, name: Name, export: LogExport) -> None:
        try:
            await self._sleep(self._pending_seconds)
            running = replace(export, status="RUNNING", seen_ms=self._now_ms())
            await self._records.replace(name, running, previous=export)
            await self._finish(name, running)
        except (StaleRevisionError, NotFoundError):
            pass  # it was cancelled
        except StoreError as error:
            log.warning("the log export %s was left unfinished: %s", name.name, error)

    async def _finish(self, name: Name, export: LogExport) -> None:
        try:
            async with aclosing(self._objects(name, export)) as objects:
                bucket = Bucket(self._client, name.account_id, name.region, export.group, export.bucket)
                async for key, body in objects:
                    await bucket.put(key, body)
                    if self._now_ms() - export.seen_ms >= _SAY_MS:
                        said = replace(export, seen_ms=self._now_ms())
                        await self._records.replace(name, said, previous=export)
                        export = said
        except ServiceException as error:
            done = replace(export, status="FAILED", message=error.message)
        else:
            done = replace(export, status="COMPLETED", message="Completed successfully")
        await self._records.replace(name, replace(done, completed_ms=self._now_ms()), previous=export)

    async def _objects(self, name: Name, export: LogExport) -> AsyncGenerator[tuple[str, bytes], None]:
        async for stream in self._streams(name, export):
            number, lines, size = 0, [], 0
            folder = f"{export.prefix or PREFIX}/{name.name}/{stream.replace('/', '-')}"
            async for events in self._events(name, export, stream):
                lines += [_line(event) for event in events]
                size += sum(len(event.message) for event in events)
                if size >= _OBJECT_BYTES:
                    yield f"{folder}/{number:06d}.gz", await asyncio.to_thread(_packed, lines)
                    number, lines, size = number + 1, [], 0
            if lines:
                yield f"{folder}/{number:06d}.gz", await asyncio.to_thread(_packed, lines)

    async def _streams(self, name: Name, export: LogExport) -> AsyncIterator[str]:
        after: tuple[int, str] | None = None
        while True:
            page = await self._store.page_streams(
                name.account_id,
                name.region,
                export.group,
                prefix=export.stream_prefix,
                by_last_event=False,
                descending=False,
                after=after,
                limit=_STREAMS_A_TIME,
            )
            for stream in page:
                yield stream.name
            if len(page) < _STREAMS_A_TIME:
                return
            after = (page[-1].last_event_ms or 0, page[-1].name)

    async def _events(self, name: Name, export: LogExport, stream: str) -> AsyncIterator[list[LogEvent]]:
        at: Position | None = None
        read, size = 0, 0
        while True:
            most = chunk_size(read, size)
            events = await self._store.read(
                name.account_id,
                name.region,
                export.group,
                streams=[stream],
                start_ms=export.from_ms,
                end_ms=export.to_ms,
                after=at,
                before=None,
                descending=False,
                limit=most,
            )
            if events:
                yield list(events)
                at = position(events[-1])
            if len(events) < most:
                return
            read += len(events)
            size += sum(len(event.message) for event in events)

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)


def _line(event: LogEvent) -> str:
    moment = _EPOCH + timedelta(milliseconds=event.timestamp_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{event.timestamp_ms % 1000:03d}Z {event.message}\n"


def _packed(lines: list[str]) -> bytes:
    return gzip.compress("".join(lines).encode("utf-8", "replace"), mtime=0)
