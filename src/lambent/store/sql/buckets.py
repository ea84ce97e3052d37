"""S3 buckets."""

from collections.abc import Sequence

from lambent.model.bucket import Bucket
from lambent.store.ports.errors import AlreadyExistsError, NotEmptyError, NotFoundError, StaleRevisionError
from lambent.store.records import Record
from lambent.store.sql.changes import note
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("buckets")
_BUCKET = Record(Bucket)


class SqlBucketStore:
    """Implements lambent.store.ports.buckets.BucketStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, bucket: Bucket) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert"], _row(bucket)).rowcount == 0:
                raise AlreadyExistsError(bucket.name)
            note(connection, "buckets")

        await self._database.write(work)

    async def all(self) -> Sequence[Bucket]:
        def work(connection: Connection) -> list[Bucket]:
            return [_BUCKET.decode(document) for (document,) in connection.execute(_SQL["all"])]

        return await self._database.read(work)

    async def replace(self, bucket: Bucket, *, previous: Bucket) -> None:
        row = _row(bucket)

        def work(connection: Connection) -> None:
            found = connection.execute(_SQL["get"], row).fetchone()
            if found is None:
                raise NotFoundError(bucket.name)
            if _BUCKET.decode(found[0]) != previous:
                raise StaleRevisionError(bucket.name)
            connection.execute(_SQL["replace"], row)
            note(connection, "buckets")

        await self._database.write(work)

    async def delete(self, name: str) -> None:
        row = {"name": name}

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["has_versions"], row).fetchone() is not None:
                raise NotEmptyError(name)
            for step in ("discard_parts", "delete_parts", "delete_uploads"):
                connection.execute(_SQL[step], row)
            if connection.execute(_SQL["delete"], row).rowcount == 0:
                raise NotFoundError(name)
            note(connection, "buckets")

        await self._database.write(work)


def _row(bucket: Bucket) -> dict[str, str]:
    return {"name": bucket.name, "document": _BUCKET.encode(bucket)}
