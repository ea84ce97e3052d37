"""The versions of S3's objects."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from lambent.base.clock import Clock
from lambent.model.stored_object import (
    NULL_VERSION,
    ListedVersion,
    Notice,
    ObjectVersion,
    WriteCondition,
)
from lambent.store.ports.errors import (
    AlreadyExistsError,
    LockedError,
    MissingKeyError,
    NotFoundError,
    StaleRevisionError,
)
from lambent.store.ports.objects import BucketUsage, Listing, ListingQuery
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries
from lambent.store.sql.rolled_listing import Rolled, roll_up, run
from lambent.store.sql.small_contents import insert_small

_SQL = queries("objects")
_VERSION = Record(ObjectVersion)
_NOTICE = Record(Notice)
_FORGOTTEN_TOGETHER = 500


class SqlObjectStore:
    """Implements lambent.store.ports.objects.ObjectStore and object_garbage.ObjectGarbage."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(
        self,
        version: ObjectVersion,
        *,
        data: bytes | None = None,
        condition: WriteCondition | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        now = self._clock.now()

        def work(connection: Connection) -> None:
            put_version(connection, version, condition)
            if data is not None and version.content is not None:
                insert_small(connection, version.content, data)
            notify(connection, notices, now)

        await self._database.write(work)

    async def get(self, bucket: str, key: str, version_id: str | None = None) -> ObjectVersion | None:
        def work(connection: Connection) -> ObjectVersion | None:
            found = _find(connection, bucket, key, version_id)
            return None if found is None else _VERSION.decode(found[5])

        return await self._database.read(work)

    async def replace(
        self, version: ObjectVersion, *, previous: ObjectVersion, notices: Sequence[Notice] = ()
    ) -> None:
        now = self._clock.now()

        def work(connection: Connection) -> None:
            found = _find(connection, version.bucket, version.key, version.version_id)
            if found is None:
                raise NotFoundError(version.key)
            if _VERSION.decode(found[5]) != previous:
                raise StaleRevisionError(version.key)
            connection.execute(_SQL["replace"], {"id": found[0], "document": _VERSION.encode(version)})
            notify(connection, notices, now)

        await self._database.write(work)

    async def delete(
        self,
        bucket: str,
        key: str,
        version_id: str,
        *,
        etag: str | None = None,
        bypass: bool = False,
        notices: Sequence[Notice] = (),
        tell_anyway: bool = False,
    ) -> ObjectVersion | None:
        now = self._clock.now()

        def work(connection: Connection) -> ObjectVersion | None:
            found = _find(connection, bucket, key, version_id)
            if found is None:
                if etag is not None:
                    raise MissingKeyError(key)
                if tell_anyway:
                    notify(connection, notices, now)
                return None
            version = _VERSION.decode(found[5])
            if etag is not None and version.etag != etag:
                raise StaleRevisionError(key)
            if version.lock.holds(now, bypass=bypass):
                raise LockedError(key)
            _remove(connection, found)
            connection.execute(_SQL["overtake"], {"bucket": bucket, "key": key})
            newest = _find(connection, bucket, key, None)
            if newest is not None:
                connection.execute(_SQL["promote"], {"id": newest[0]})
            notify(connection, notices, now)
            return version

        return await self._database.write(work)

    async def list_current(self, query: ListingQuery) -> Listing:
        def work(connection: Connection) -> Listing:
            seek = run(connection, _SQL["list_current"], query)
            return _listing(roll_up(query, seek, None))

        return await self._database.read(work)

    async def list_versions(self, query: ListingQuery) -> Listing:
        row = {"bucket": query.bucket, "key": query.after, "version_id": query.after_version_id}

        def work(connection: Connection) -> Listing:
            seek = run(connection, _SQL["list_versions"], query)
            within = None
            if query.after_version_id is not None and query.after.startswith(query.prefix):
                within = connection.execute(_SQL["list_versions_within"], row)
            return _listing(roll_up(query, seek, within))

        return await self._database.read(work)

    async def usage(self, bucket: str) -> BucketUsage:
        def work(connection: Connection) -> BucketUsage:
            rows = connection.execute(_SQL["usage"], {"bucket": bucket}).fetchall()
            return BucketUsage(
                count=sum(count for _, count, _ in rows),
                size_by_class={storage_class: size for storage_class, _, size in rows},
            )

        return await self._database.read(work)

    async def garbage(self, limit: int) -> Sequence[str]:
        def work(connection: Connection) -> list[str]:
            return [content for (content,) in connection.execute(_SQL["garbage"], {"limit": limit})]

        # What is read may not be on disk yet; what was written before a write that is told of, is.
        return await self._database.write(work)

    async def forget(self, contents: Sequence[str]) -> None:
        for first in range(0, len(contents), _FORGOTTEN_TOGETHER):
            rows = [{"content": content} for content in contents[first : first + _FORGOTTEN_TOGETHER]]
            await self._database.write(partial(_forget_all, rows=rows))

    async def unreferenced(self, contents: Sequence[str]) -> Sequence[str]:
        def work(connection: Connection) -> list[str]:
            return [
                content
                for content in contents
                if not connection.execute(_SQL["is_referenced"], {"content": content}).fetchone()[0]
            ]

        return await self._database.read(work)


def put_version(connection: Connection, version: ObjectVersion, condition: WriteCondition | None) -> None:
    """What ObjectStore.put does, within a transaction."""
    row = {"bucket": version.bucket, "key": version.key}
    if connection.execute(_SQL["bucket"], row).fetchone() is None:
        raise NotFoundError(version.bucket)
    latest = connection.execute(_SQL["latest"], row).fetchone()
    if condition is not None:
        _check(condition, latest, version.key)
    if version.delete_marker:
        connection.execute(_SQL["overtake"], row)
    replaced = _replaced(connection, version, latest)
    if latest is not None and replaced is not latest:
        connection.execute(_SQL["outdate"], {"id": latest[0]})
    if replaced is not None:
        _remove(connection, replaced)
    connection.execute(
        _SQL["insert"],
        row
        | {
            "version_id": version.version_id,
            "delete_marker": version.delete_marker,
            "size": version.size,
            "content": version.content,
            "parts_of": version.parts_of,
            "document": _VERSION.encode(version),
        },
    )


def _replaced(
    connection: Connection, version: ObjectVersion, latest: tuple[Any, ...] | None
) -> tuple[Any, ...] | None:
    """The version whose place it takes: the key's null version, where it is one itself."""
    if latest is None or version.version_id != NULL_VERSION:
        return None
    return (
        latest if latest[1] == NULL_VERSION else _find(connection, version.bucket, version.key, NULL_VERSION)
    )


def notify(connection: Connection, notices: Sequence[Notice], now: float) -> None:
    for notice in notices:
        connection.execute(_SQL["notify"], {"now": now, "document": _NOTICE.encode(notice)})


def _check(condition: WriteCondition, latest: tuple[Any, ...] | None, key: str) -> None:
    current = None if latest is None or latest[2] else latest
    if condition.absent and current is not None:
        raise AlreadyExistsError(key)
    if condition.etag is not None:
        if current is None:
            raise MissingKeyError(key)
        if _VERSION.decode(current[5]).etag != condition.etag:
            raise StaleRevisionError(key)


def _find(connection: Connection, bucket: str, key: str, version_id: str | None) -> tuple[Any, ...] | None:
    statement = (
        "latest" if version_id is None else "null_version" if version_id == NULL_VERSION else "version"
    )
    row = {"bucket": bucket, "key": key, "version_id": version_id}
    found: tuple[Any, ...] | None = connection.execute(_SQL[statement], row).fetchone()
    return found


def _remove(connection: Connection, found: tuple[Any, ...]) -> None:
    id, _, _, content, parts_of, _ = found
    connection.execute(_SQL["delete"], {"id": id})
    if content is not None:
        connection.execute(_SQL["discard"], {"content": content})
    if parts_of is not None:
        connection.execute(_SQL["discard_parts"], {"parts_of": parts_of})
        connection.execute(_SQL["delete_parts"], {"parts_of": parts_of})


def _listing(rolled: Rolled) -> Listing:
    entries = [
        ListedVersion(version=_VERSION.decode(document), latest=bool(latest))
        for _, _, latest, document in rolled.rows
    ]
    return Listing(
        entries=entries,
        prefixes=rolled.prefixes,
        last=rolled.last,
        last_version_id=rolled.last_within,
    )


def _forget_all(connection: Connection, rows: Sequence[dict[str, str]]) -> None:
    connection.executemany(_SQL["forget"], rows)
