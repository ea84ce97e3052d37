"""What an engine gives to the stores: a database that runs their functions in transactions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from lambent.store.ports.schema import Schema

T = TypeVar("T")
Item = TypeVar("Item")
Row = Sequence[Any] | Mapping[str, Any]
"""What a statement is given: by place for `?`, by name for `:name` (it may hold more names than are asked for)."""


class Cursor(Iterator[Any], Protocol):
    """What a statement answered: rows."""

    @property
    def rowcount(self) -> int:
        """How many rows were inserted, changed or deleted."""
        ...

    def fetchone(self) -> Any:
        """The next row, None where there is none."""
        ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection within a transaction; it is not the stores' to commit."""

    def execute(self, statement: str, row: Row = ..., /) -> Cursor: ...

    def stream(self, statement: str, row: Row = ..., /) -> Iterator[Any]:
        """As `execute`, for rows of which a few may be taken out of many: they are read as they are taken."""
        ...

    def executemany(self, statement: str, rows: Iterable[Row], /) -> object: ...


class Database(Protocol):
    """`write` runs a function in the next transaction and returns once that is committed and synced; `read`
    runs one on a snapshot. The functions are given a connection, run on another thread, and must not commit.
    A function given to `write` may be run again after its changes were undone, so it must have no effect but
    on the connection.

    Statements may call `database_now()`: the time of the database's own clock (epoch seconds), which is the same one
    for all who use it."""

    def open(self) -> None:
        """Creates or migrates the database. Blocking; called once, before the first read or write.

        Raises MigrationError where its tables are those of a Lambent that this one is too old, or too new, for."""
        ...

    async def schema(self) -> Schema:
        """How far the tables are. With `migrate`, this is a lambent.store.ports.schema.SchemaStore."""
        ...

    async def migrate(self) -> Schema: ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Raises what `work` raises (its own changes are undone, its neighbours' are not); StoreFullError;
        StoreClosedError. When the caller is cancelled, the change may still be made."""
        ...

    async def write_together(
        self, work: Callable[[Connection, Sequence[Item]], None], item: Item, *, synced: bool = True
    ) -> None:
        """As `write`, but the items of callers that give the same `work` at the same time are handed to it
        together. Where it raises it is run again for each item alone, so that one's failure is only its
        own. What is not `synced` outlives this process, but it may be gone after a power cut, with nothing that was
        made before it: for what nobody relies on."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T: ...

    async def maintain(self) -> None:
        """What the engine's tables want done now and then, every second or so, by one node. Raises StoreError."""
        ...

    def close(self) -> None:
        """Commits what was queued, then closes. Blocking, idempotent."""
        ...
