"""S3's multipart uploads and parts."""

from collections.abc import Sequence
from typing import Any

from lambent.base.clock import Clock
from lambent.model.stored_object import Notice, ObjectVersion, Part, Upload, WriteCondition
from lambent.store.ports.errors import NotFoundError, OvertakenError, StaleRevisionError
from lambent.store.ports.objects import ListingQuery
from lambent.store.ports.uploads import UploadListing
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.objects import notify, put_version
from lambent.store.sql.queries import queries
from lambent.store.sql.rolled_listing import roll_up, run
from lambent.store.sql.small_contents import insert_small

_SQL = queries("uploads")
_UPLOAD = Record(Upload)
_PART = Record(Part)


class SqlUploadStore:
    """Implements lambent.store.ports.uploads.UploadStore."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def insert(self, upload: Upload) -> None:
        row = {
            "id": upload.id,
            "bucket": upload.bucket,
            "key": upload.key,
            "document": _UPLOAD.encode(upload),
        }

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["bucket"], row).fetchone() is None:
                raise NotFoundError(upload.bucket)
            connection.execute(_SQL["insert"], row)

        await self._database.write(work)

    async def get(self, bucket: str, key: str, upload_id: str) -> Upload | None:
        row = {"id": upload_id, "bucket": bucket, "key": key}

        def work(connection: Connection) -> Upload | None:
            found = connection.execute(_SQL["get"], row).fetchone()
            return None if found is None else _UPLOAD.decode(found[0])

        return await self._database.read(work)

    async def list(self, query: ListingQuery) -> UploadListing:
        row = {"bucket": query.bucket, "key": query.after, "id": query.after_version_id}

        def work(connection: Connection) -> UploadListing:
            seek = run(connection, _SQL["list"], query)
            within = None
            if query.after_version_id is not None and query.after.startswith(query.prefix):
                within = connection.execute(_SQL["list_within"], row)
            rolled = roll_up(query, seek, within)
            return UploadListing(
                uploads=[_UPLOAD.decode(document) for _, _, document in rolled.rows],
                prefixes=rolled.prefixes,
                last=rolled.last,
                last_id=rolled.last_within,
            )

        return await self._database.read(work)

    async def put_part(self, upload_id: str, part: Part, *, data: bytes | None = None) -> None:
        row = _part_row(upload_id, part)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["exists"], row).fetchone() is None:
                raise NotFoundError(upload_id)
            before = connection.execute(_SQL["part"], row).fetchone()
            if before is not None:
                connection.execute(_SQL["discard"], {"content": before[0]})
            connection.execute(_SQL["put_part"], row)
            if data is not None:
                insert_small(connection, part.content, data)

        await self._database.write(work)

    async def parts(self, upload_id: str, *, after: int = 0, limit: int = 10_000) -> Sequence[Part]:
        return await self._parts("parts", {"upload_id": upload_id, "after": after, "limit": limit})

    async def parts_at(self, upload_id: str, first: int, last: int) -> Sequence[Part]:
        return await self._parts("parts_at", {"upload_id": upload_id, "first": first, "last": last})

    async def complete(
        self,
        upload_id: str,
        parts: Sequence[Part],
        version: ObjectVersion,
        *,
        condition: WriteCondition | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        now = self._clock.now()

        def work(connection: Connection) -> None:
            row = {"upload_id": upload_id}
            deleted = connection.execute(_SQL["delete"], row).fetchone()
            if deleted is None:
                raise NotFoundError(upload_id)
            stored = dict(connection.execute(_SQL["numbers"], row).fetchall())
            for part in parts:
                if stored.pop(part.number, None) != part.content:
                    raise StaleRevisionError(f"part {part.number}")
                connection.execute(_SQL["put_part"], _part_row(upload_id, part))
            for number, content in stored.items():
                connection.execute(_SQL["delete_part"], row | {"number": number})
                connection.execute(_SQL["discard"], {"content": content})
            put_version(connection, version, condition)
            if deleted[0] and condition is not None and condition.absent:
                raise OvertakenError(upload_id)
            notify(connection, notices, now)

        await self._database.write(work)

    async def abort(self, upload_id: str) -> bool:
        row = {"upload_id": upload_id}

        def work(connection: Connection) -> bool:
            if connection.execute(_SQL["delete"], row).fetchone() is None:
                return False
            connection.execute(_SQL["discard_parts"], row)
            connection.execute(_SQL["delete_parts"], row)
            return True

        return await self._database.write(work)

    async def _parts(self, statement: str, row: dict[str, Any]) -> Sequence[Part]:
        def work(connection: Connection) -> Sequence[Part]:
            return [_PART.decode(document) for (document,) in connection.execute(_SQL[statement], row)]

        return await self._database.read(work)


def _part_row(upload_id: str, part: Part) -> dict[str, Any]:
    return {
        "upload_id": upload_id,
        "number": part.number,
        "position": part.position,
        "size": part.size,
        "content": part.content,
        "document": _PART.encode(part),
    }
