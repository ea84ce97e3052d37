"""The bytes of small objects and parts."""

from collections.abc import Sequence

from lambent.store.ports.errors import ContentMissingError
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("small_contents")


class SqlSmallContents:
    """Implements lambent.store.ports.contents.SmallContents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, name: str) -> bytes:
        def work(connection: Connection) -> bytes:
            found = connection.execute(_SQL["get"], {"name": name}).fetchone()
            if found is None:
                raise ContentMissingError(name)
            return bytes(found[0])

        return await self._database.read(work)

    async def remove(self, names: Sequence[str]) -> None:
        rows = [{"name": name} for name in names]
        await self._database.write(lambda connection: connection.executemany(_SQL["delete"], rows))


def insert_small(connection: Connection, name: str, data: bytes) -> None:
    """Within the transaction of what refers to it."""
    connection.execute(_SQL["insert"], {"name": name, "data": data})
