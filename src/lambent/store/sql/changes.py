"""Notes of changes. `note` is for the stores: in the transaction of the change itself."""

from collections.abc import Sequence

from lambent.model.function import FunctionId
from lambent.store.ports.changes import NotedChange
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("changes")


class SqlChangeStore:
    """Implements lambent.store.ports.changes.ChangeStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, number: int) -> Sequence[NotedChange]:
        row = {"number": number}
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["since"], row).fetchall()
        )
        return [
            NotedChange(number=number, kind=kind, key=key, age_seconds=age)
            for number, kind, key, age in found
        ]

    async def bounds(self) -> tuple[int, int]:
        first, last = await self._database.read(
            lambda connection: connection.execute(_SQL["bounds"]).fetchone()
        )
        return int(first), int(last)

    async def forget(self, *, older_than_seconds: float) -> int:
        row = {"seconds": older_than_seconds}
        return await self._database.write(lambda connection: connection.execute(_SQL["forget"], row).rowcount)


def note_function(connection: Connection, id: FunctionId) -> None:
    """The function itself, its versions and aliases, or what belongs to it."""
    note(connection, "function", id.account_id, id.region, id.name)


def note(connection: Connection, kind: str, *key: str) -> None:
    """`key` is joined by slashes."""
    connection.execute(_SQL["note"], {"kind": kind, "key": "/".join(key)})
