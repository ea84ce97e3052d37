"""Named records: one table for all kinds."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from lambent.model.delivery import Delivery
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.fence import held
from lambent.store.ports.named_records import Due, Name
from lambent.store.records import Record
from lambent.store.sql.changes import note
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.nodes import require_held
from lambent.store.sql.queries import queries
from lambent.store.sql.target_deliveries import insert as insert_deliveries

_SQL = queries("named_records")

T = TypeVar("T")


class SqlNamedRecords(Generic[T]):
    """Implements lambent.store.ports.named_records.NamedRecords. `kind` ("rule") keeps them apart from others.

    Of those that nodes remember (`noted`), insertions, replacements and deletions are noted as changes of that kind."""

    def __init__(self, database: Database, kind: str, type_: type[T], *, noted: bool = False) -> None:
        self._database = database
        self._kind = kind
        self._record = Record(type_)
        self._noted = noted

    async def insert(self, name: Name, value: T, *, due_at: float | None = None) -> None:
        row = self._row(name, due_at=due_at, document=self._record.encode(value))

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert"], row).rowcount == 0:
                raise AlreadyExistsError(f"{self._kind} {name.name}")
            self._note(connection, name)

        await self._database.write(work)

    async def get(self, name: Name) -> T | None:
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["get"], self._row(name)).fetchone()
        )
        return None if found is None else self._record.decode(found[0])

    async def replace(
        self, name: Name, value: T, *, previous: T, due_at: float | None = None, keeps_due: bool = False
    ) -> None:
        document = self._record.encode(value)
        row = self._row(name, due_at=due_at, keeps_due=keeps_due, document=document)

        def work(connection: Connection) -> None:
            self._expect(connection, name, previous)
            connection.execute(_SQL["replace"], row)
            self._note(connection, name)

        await self._database.write(work)

    async def rename(self, name: Name, new_name: Name, value: T, *, previous: T) -> None:
        row = self._row(new_name, due_at=None, document=self._record.encode(value))

        def work(connection: Connection) -> None:
            self._expect(connection, name, previous)
            if connection.execute(_SQL["insert"], row).rowcount == 0:
                raise AlreadyExistsError(f"{self._kind} {new_name.name}")
            connection.execute(_SQL["delete"], self._row(name))
            self._note(connection, name)
            self._note(connection, new_name)

        await self._database.write(work)

    async def delete(self, name: Name) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["delete"], self._row(name)).rowcount == 0:
                raise NotFoundError(f"{self._kind} {name.name}")
            self._note(connection, name)

        await self._database.write(work)

    async def page(
        self,
        account_id: str,
        region: str,
        *,
        parent: str | None = None,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int,
    ) -> Sequence[tuple[Name, T]]:
        row = {
            "kind": self._kind,
            "account_id": account_id,
            "region": region,
            "parent": parent,
            "prefix": prefix,
            "after_parent": after[0],
            "after_name": after[1],
            "limit": limit,
        }
        found = await self._database.read(lambda connection: connection.execute(_SQL["page"], row).fetchall())
        return [
            (Name(account_id, region, parent_, name), self._record.decode(document))
            for parent_, name, document in found
        ]

    async def all(self) -> Sequence[tuple[Name, T]]:
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["all"], {"kind": self._kind}).fetchall()
        )
        return [(Name(*name), self._record.decode(document)) for *name, document in found]

    async def due(self, *, now: float, limit: int) -> Sequence[Due[T]]:
        row = {"kind": self._kind, "now": now, "limit": limit}
        return await self._due("due", row)

    async def due_later(self, *, than: float, after: Name | None, limit: int) -> Sequence[Due[T]]:
        row = self._row(after or Name("", "", "", ""), than=than, limit=limit)
        return await self._due("due_later", row)

    async def _due(self, statement: str, row: dict[str, Any]) -> Sequence[Due[T]]:
        found = await self._database.read(
            lambda connection: connection.execute(_SQL[statement], row).fetchall()
        )
        return [Due(Name(*name), self._record.decode(document), due_at) for *name, document, due_at in found]

    async def next_due(self) -> float | None:
        (found,) = await self._database.read(
            lambda connection: connection.execute(_SQL["next_due"], {"kind": self._kind}).fetchone()
        )
        return None if found is None else float(found)

    async def advance(
        self,
        name: Name,
        *,
        previous: T,
        value: T | None,
        due_at: float | None,
        deliveries: Sequence[Delivery],
    ) -> None:
        document = None if value is None else self._record.encode(value)
        row = self._row(name, due_at=due_at, keeps_due=False, document=document)
        fence = held()

        def work(connection: Connection) -> None:
            require_held(connection, fence)
            self._expect(connection, name, previous)
            connection.execute(_SQL["delete" if value is None else "replace"], row)
            insert_deliveries(connection, deliveries)
            if value is None:
                self._note(connection, name)

        await self._database.write(work)

    def _expect(self, connection: Connection, name: Name, previous: T) -> None:
        """Compares values, not text: a record that an older Lambent wrote is equal when it means the same."""
        stored = connection.execute(_SQL["get"], self._row(name)).fetchone()
        if stored is None:
            raise NotFoundError(f"{self._kind} {name.name}")
        if self._record.decode(stored[0]) != previous:
            raise StaleRevisionError(f"{self._kind} {name.name}")

    def _note(self, connection: Connection, name: Name) -> None:
        if self._noted:
            note(connection, self._kind, name.account_id, name.region, name.parent, name.name)

    def _row(self, name: Name, **members: Any) -> dict[str, Any]:
        return {
            "kind": self._kind,
            "account_id": name.account_id,
            "region": name.region,
            "parent": name.parent,
            "name": name.name,
            **members,
        }
