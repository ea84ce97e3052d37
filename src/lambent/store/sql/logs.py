"""Log groups, streams and events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock, SystemClock
from lambent.store.log_batches import batches
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.logs import LogBatch, LogEvent, LogGroup, LogStream
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.log_reading import Range, read_events
from lambent.store.sql.log_sweeping import delete_garbage, expire_batches
from lambent.store.sql.queries import queries

_SQL = queries("logs")
_GROUP = Record(LogGroup)
_ABOVE_ALL_NAMES = "\U0010ffff"
_ABOVE_ALL_TIMES = 2**62
_DAY_MS = 86_400_000

"""Account, region, group, stream, and what is appended to it."""


class SqlLogStore:
    """Implements lambent.store.ports.logs.LogStore. The clock says what retention has outlived when events
    are read."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def insert_group(self, group: LogGroup) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert_group"], _group_row(group)).rowcount == 0:
                raise AlreadyExistsError(f"log group {group.name}")

        await self._database.write(work)

    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup | None:
        row = _key(account_id, region, name)
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["get_group"], row).fetchone()
        )
        return None if found is None else _group(*found)

    async def replace_group(self, group: LogGroup) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["replace_group"], _group_row(group)).rowcount == 0:
                raise NotFoundError(f"log group {group.name}")

        await self._database.write(work)

    async def delete_group(self, account_id: str, region: str, name: str) -> None:
        def work(connection: Connection) -> None:
            row = {"group_id": _find_group(connection, account_id, region, name)[0]}
            for statement in ("discard_group", "delete_streams", "delete_group"):
                connection.execute(_SQL[statement], row)

        await self._database.write(work)

    async def page_groups(
        self, account_id: str, region: str, *, prefix: str, pattern: str, after: str | None, limit: int
    ) -> Sequence[LogGroup]:
        row = _prefix(prefix) | {
            "account_id": account_id,
            "region": region,
            "pattern": pattern,
            "after": after or "",
            "limit": limit,
        }
        return await self._database.read(
            lambda connection: [_group(*found) for found in connection.execute(_SQL["page_groups"], row)]
        )

    async def insert_stream(
        self, account_id: str, region: str, group: str, name: str, created_ms: int
    ) -> None:
        def work(connection: Connection) -> None:
            group_id, *_ = _find_group(connection, account_id, region, group)
            row = {"group_id": group_id, "name": name, "created_ms": created_ms}
            if connection.execute(_SQL["insert_stream"], row).rowcount == 0:
                raise AlreadyExistsError(f"log stream {name}")

        await self._database.write(work)

    async def get_stream(self, account_id: str, region: str, group: str, name: str) -> LogStream | None:
        row = _key(account_id, region, name) | {"group": group}
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["get_stream"], row).fetchone()
        )
        return None if found is None else _stream(group, found)

    async def delete_stream(self, account_id: str, region: str, group: str, name: str) -> None:
        def work(connection: Connection) -> None:
            group_id, *_ = _find_group(connection, account_id, region, group)
            row = {"group_id": group_id, "name": name}
            deleted = connection.execute(_SQL["delete_stream"], row).fetchall()
            if not deleted:
                raise NotFoundError(f"log stream {name}")
            ((stream_id, stored_bytes),) = deleted
            connection.execute(_SQL["discard_stream"], {"stream_id": stream_id})
            connection.execute(_SQL["shrink_group"], {"group_id": group_id, "stored_bytes": stored_bytes})

        await self._database.write(work)

    async def page_streams(
        self,
        account_id: str,
        region: str,
        group: str,
        *,
        prefix: str,
        by_last_event: bool,
        descending: bool,
        after: tuple[int, str] | None,
        limit: int,
    ) -> Sequence[LogStream]:
        statement = "page_streams_by_last_event" if by_last_event else "page_streams_by_name"
        if descending:
            statement += "_descending"
        start = (_ABOVE_ALL_TIMES, _ABOVE_ALL_NAMES) if descending else (-1, "")
        after_ms, after_name = after or start
        row = _prefix(prefix) | {"after_ms": after_ms, "after_name": after_name, "limit": limit}

        def work(connection: Connection) -> list[LogStream]:
            found = connection.execute(_SQL["find_group"], _key(account_id, region, group)).fetchone()
            if found is None:
                return []
            streams = connection.execute(_SQL[statement], row | {"group_id": found[0]})
            return [_stream(group, stream) for stream in streams]

        return await self._database.read(work)

    async def append(
        self,
        account_id: str,
        region: str,
        group: str,
        stream: str,
        events: Sequence[LogEvent],
        *,
        create: bool,
    ) -> None:
        batch = (account_id, region, group, stream, events)
        await self._database.write_together(self._append_all, ([batch], create))

    async def append_many(self, batches: Sequence[LogBatch]) -> None:
        await self._database.write_together(self._append_all, (batches, True))

    async def read(
        self,
        account_id: str,
        region: str,
        group: str,
        *,
        streams: Sequence[str] | None,
        start_ms: int | None,
        end_ms: int | None,
        after: tuple[int, int] | None,
        before: tuple[int, int] | None,
        descending: bool,
        limit: int,
    ) -> Sequence[LogEvent]:
        now_ms = int(self._clock.now() * 1000)

        def work(connection: Connection) -> list[LogEvent]:
            found = connection.execute(_SQL["find_group"], _key(account_id, region, group)).fetchone()
            if found is None:
                return []
            group_id, retention_days, span_ms = found
            wanted = Range.of(start_ms, end_ms, after, before)
            if retention_days is not None:
                wanted = wanted.since(now_ms - retention_days * _DAY_MS)
            return read_events(
                connection, group_id, streams, wanted, span_ms=span_ms, descending=descending, limit=limit
            )

        return await self._database.read(work)

    async def expire(self, now_ms: int) -> int:
        retained = await self._database.read(
            lambda connection: connection.execute(_SQL["retained_groups"]).fetchall()
        )
        deleted = await delete_garbage(self._database)
        for group_id, retention_days in retained:
            deleted += await expire_batches(self._database, group_id, now_ms - retention_days * _DAY_MS)
        return deleted

    def _append_all(self, connection: Connection, items: Sequence[tuple[Sequence[LogBatch], bool]]) -> None:
        """Streams and groups grow in one order, so that of two who append none waits for the other for ever."""
        rows: list[tuple[Any, ...]] = []
        group_bytes: defaultdict[int, int] = defaultdict(int)
        group_span_ms: defaultdict[int, int] = defaultdict(int)
        appended = [(*one, create) for batches_, create in items for one in batches_]
        for account_id, region, group, stream, events, create in sorted(appended, key=lambda one: one[:4]):
            if create:
                group_id, stream_id = self._find_or_create(connection, account_id, region, group, stream)
            else:
                group_id, *_ = _find_group(connection, account_id, region, group)
                stream_id = _find_stream(connection, group_id, stream)
            for batch in batches(events):
                span = {
                    "first_ms": batch.first_ms,
                    "last_ms": batch.last_ms,
                    "stored_bytes": batch.stored_bytes,
                }
                grown = span | {"stream_id": stream_id, "last_ingestion_ms": batch.last_ingestion_ms}
                connection.execute(_SQL["grow_stream"], grown)
                rows.append((group_id, stream_id, *span.values(), batch.blob))
                group_bytes[group_id] += batch.stored_bytes
                group_span_ms[group_id] = max(group_span_ms[group_id], batch.last_ms - batch.first_ms)
        connection.executemany(_SQL["insert_batch"], rows)
        for group_id in sorted(group_bytes):
            row = {"stored_bytes": group_bytes[group_id], "span_ms": group_span_ms[group_id]}
            if connection.execute(_SQL["grow_group"], {"group_id": group_id, **row}).rowcount == 0:
                raise NotFoundError("a log group that was deleted in this moment")

    def _find_or_create(
        self, connection: Connection, account_id: str, region: str, group: str, stream: str
    ) -> tuple[int, int]:
        now_ms = int(self._clock.now() * 1000)
        key = _key(account_id, region, group)
        if connection.execute(_SQL["find_group"], key).fetchone() is None:
            made = LogGroup(account_id=account_id, region=region, name=group, created_ms=now_ms)
            connection.execute(_SQL["insert_group"], _group_row(made))
        group_id, *_ = _find_group(connection, account_id, region, group)
        if connection.execute(_SQL["find_stream"], {"group_id": group_id, "name": stream}).fetchone() is None:
            row = {"group_id": group_id, "name": stream, "created_ms": now_ms}
            connection.execute(_SQL["insert_stream"], row)
        return group_id, _find_stream(connection, group_id, stream)


def _find_group(
    connection: Connection, account_id: str, region: str, name: str
) -> tuple[int, int | None, int]:
    """(id, retention_days, span_ms). Raises NotFoundError."""
    found = connection.execute(_SQL["find_group"], _key(account_id, region, name)).fetchone()
    if found is None:
        raise NotFoundError(f"log group {name}")
    group_id, retention_days, span_ms = found
    return group_id, retention_days, span_ms


def _find_stream(connection: Connection, group_id: int, name: str) -> int:
    found = connection.execute(_SQL["find_stream"], {"group_id": group_id, "name": name}).fetchone()
    if found is None:
        raise NotFoundError(f"log stream {name}")
    return int(found[0])


def _key(account_id: str, region: str, name: str) -> dict[str, Any]:
    return {"account_id": account_id, "region": region, "name": name}


def _prefix(prefix: str) -> dict[str, Any]:
    return {"prefix": prefix, "prefix_end": prefix + _ABOVE_ALL_NAMES}


def _group_row(group: LogGroup) -> dict[str, Any]:
    document = _GROUP.encode(replace(group, stored_bytes=0))
    return _key(group.account_id, group.region, group.name) | {
        "retention_days": group.retention_days,
        "document": document,
    }


def _group(document: str, stored_bytes: int) -> LogGroup:
    return replace(_GROUP.decode(document), stored_bytes=stored_bytes)


def _stream(group: str, row: tuple[str, int, int | None, int, int | None, int]) -> LogStream:
    name, created_ms, first_event_ms, last_event_ms, last_ingestion_ms, stored_bytes = row
    return LogStream(
        group=group,
        name=name,
        created_ms=created_ms,
        first_event_ms=first_event_ms,
        last_event_ms=last_event_ms or None,
        last_ingestion_ms=last_ingestion_ms,
        stored_bytes=stored_bytes,
    )
