"""Durable executions: a row for each, and rows for its operations and events."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from lambent.model.durable_execution.transition import Change, NewExecution, State
from lambent.model.durable_execution.values import DurableExecution, ExecutionKey, HistoryEvent, Operation
from lambent.model.function import FunctionId
from lambent.store.ports.durable_executions import Decide, ExecutionFilter
from lambent.store.ports.errors import NotFoundError
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

T = TypeVar("T")

_SQL = queries("durable_executions")
_EXECUTION = Record(DurableExecution)
_OPERATION = Record(Operation)
_EVENT = Record(HistoryEvent)
_ENDLESS = 1e300


class SqlDurableExecutionStore:
    """Implements lambent.store.ports.durable_executions.DurableExecutionStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, new: NewExecution) -> DurableExecution:
        def work(connection: Connection) -> DurableExecution:
            if _insert(connection, new):
                return new.execution
            (document,) = connection.execute(_SQL["by_name"], _names(new.execution)).fetchone()
            return _EXECUTION.decode(document)

        return await self._database.write(work)

    async def change(self, key: ExecutionKey, decide: Decide[T]) -> T:
        def work(connection: Connection) -> T:
            state = _State.of(connection, key)
            change, answer = decide(state)
            if change is not None:
                _store(connection, state.row, change)
            return answer

        return await self._database.write(work)

    async def view(self, key: ExecutionKey, read: Callable[[State], T]) -> T:
        return await self._database.read(lambda connection: read(_State.of(connection, key)))

    async def history(
        self, key: ExecutionKey, *, after: int | None, items: int, size: int, reverse: bool
    ) -> tuple[Sequence[HistoryEvent], bool]:
        def work(connection: Connection) -> tuple[list[HistoryEvent], bool]:
            state = _State.of(connection, key)
            start = after if after is not None else state.execution.events + 1 if reverse else 0
            rows = connection.execute(
                _SQL["events_backwards" if reverse else "events"],
                {"execution": state.row, "after": start, "limit": items + 1},
            )
            return _page(_EVENT, rows, items, size)

        return await self._database.read(work)

    async def page(
        self,
        function: FunctionId,
        wanted: ExecutionFilter,
        *,
        after: tuple[float, str] | None,
        limit: int,
        oldest_first: bool,
    ) -> Sequence[tuple[DurableExecution, tuple[float, str]]]:
        at, after_id = after or ((-1.0, "") if oldest_first else (_ENDLESS, ""))
        row = {
            "account_id": function.account_id,
            "region": function.region,
            "function_name": function.name,
            "at": at,
            "after_id": after_id,
            "version": wanted.version,
            "name": wanted.name,
            "status": wanted.status,
            "started_after": -1.0 if wanted.started_after is None else wanted.started_after,
            "started_before": _ENDLESS if wanted.started_before is None else wanted.started_before,
            "limit": limit,
        }
        # A name finds one at most, the others go by the time of their start.
        by = "name" if wanted.name is not None else "time" if wanted.status is None else "status"
        statement = _SQL[f"page_by_{by}_{'oldest' if oldest_first else 'newest'}_first"]

        def work(connection: Connection) -> list[tuple[DurableExecution, tuple[float, str]]]:
            found = [_EXECUTION.decode(document) for (document,) in connection.execute(statement, row)]
            return [(execution, (execution.started_at, execution.id)) for execution in found]

        return await self._database.read(work)

    async def due(self, now: float, limit: int) -> Sequence[ExecutionKey]:
        return await self._keys("due", {"now": now, "limit": limit})

    async def next_due(self) -> float | None:
        def work(connection: Connection) -> float | None:
            (found,) = connection.execute(_SQL["next_due"]).fetchone()
            return None if found is None else float(found)

        return await self._database.read(work)

    async def busy(self) -> Sequence[ExecutionKey]:
        return await self._keys("busy", {})

    async def delete(self, key: ExecutionKey) -> None:
        def work(connection: Connection) -> None:
            found = connection.execute(_SQL["get"], _key(key)).fetchone()
            if found is not None:
                for statement in ("delete_events", "delete_operations", "delete"):
                    connection.execute(_SQL[statement], {"id": found[0]})

        await self._database.write(work)

    async def _keys(self, statement: str, row: dict[str, Any]) -> list[ExecutionKey]:
        def work(connection: Connection) -> list[ExecutionKey]:
            return [ExecutionKey(*found) for found in connection.execute(_SQL[statement], row)]

        return await self._database.read(work)


class _State:
    """Implements lambent.model.durable_execution.transition.State, within one transaction."""

    def __init__(self, connection: Connection, row: int, execution: DurableExecution) -> None:
        self._connection = connection
        self.row = row
        self._execution = execution

    @classmethod
    def of(cls, connection: Connection, key: ExecutionKey) -> "_State":
        found = connection.execute(_SQL["get"], _key(key)).fetchone()
        if found is None:
            raise NotFoundError(key.id)
        return cls(connection, found[0], _EXECUTION.decode(found[1]))

    @property
    def execution(self) -> DurableExecution:
        return self._execution

    def operation(self, id: str) -> Operation | None:
        found = self._operations("operation", operation_id=id)
        return found[0] if found else None

    def due(self, now: float) -> Sequence[Operation]:
        return self._operations("due_operations", now=now)

    def changed_since(self, changes: int) -> Sequence[Operation]:
        return self._operations("changed_operations", changes=changes)

    def page(self, after: int, *, items: int, size: int) -> tuple[Sequence[Operation], bool]:
        row = {"execution": self.row, "after": after, "limit": items + 1}
        return _page(_OPERATION, self._connection.execute(_SQL["operations"], row), items, size)

    def _operations(self, statement: str, **row: Any) -> list[Operation]:
        rows = self._connection.execute(_SQL[statement], {"execution": self.row, **row})
        return [_OPERATION.decode(document) for (document,) in rows]


def _page(kind: Record[T], rows: Iterable[tuple[str]], items: int, size: int) -> tuple[list[T], bool]:
    """As many as there is room for, and whether there are more."""
    found: list[T] = []
    for (document,) in rows:
        size -= len(document)
        if len(found) == items or (found and size < 0):
            return found, True
        found.append(kind.decode(document))
    return found, False


def _insert(connection: Connection, new: NewExecution) -> bool:
    """False where the name is taken."""
    execution = new.execution
    row = _names(execution) | _changing(execution, execution.due_at)
    row |= {
        "execution_id": execution.id,
        "version": execution.version,
        "started_at": execution.started_at,
    }
    inserted = connection.execute(_SQL["insert"], row).fetchall()
    for (id,) in inserted:
        _put_operations(connection, id, [new.operation])
        _append(connection, id, [new.event])
    return bool(inserted)


def _store(connection: Connection, row: int, change: Change) -> None:
    _put_operations(connection, row, change.operations)
    _append(connection, row, change.events)
    execution, due_at = change.execution, change.execution.due_at
    if not execution.closed:
        (first,) = connection.execute(_SQL["first_due_operation"], {"id": row}).fetchone()
        if first is not None:
            due_at = first if due_at is None else min(due_at, first)
    connection.execute(_SQL["update"], {"id": row} | _changing(execution, due_at))
    for child in change.children:
        inserted = _insert(connection, child)
        assert inserted, "the name of a child is new"


def _put_operations(connection: Connection, row: int, operations: Sequence[Operation]) -> None:
    for operation in operations:
        values = {
            "execution": row,
            "sequence": operation.sequence,
            "operation_id": operation.id,
            "parent_id": operation.parent_id,
            "changed": operation.changed,
            "due_at": operation.due_at,
            "document": _OPERATION.encode(operation),
        }
        connection.execute(_SQL["put_operation"], values)
    for operation in operations:
        if operation.closes_children:
            connection.execute(_SQL["hide_below"], {"execution": row, "operation_id": operation.id})


def _append(connection: Connection, row: int, events: Sequence[HistoryEvent]) -> None:
    connection.executemany(_SQL["insert_event"], [(row, event.id, _EVENT.encode(event)) for event in events])


def _names(execution: DurableExecution) -> dict[str, Any]:
    return {
        "account_id": execution.account_id,
        "region": execution.region,
        "function_name": execution.function_name,
        "name": execution.name,
    }


def _changing(execution: DurableExecution, due_at: float | None) -> dict[str, Any]:
    return {
        "status": execution.status,
        "due_at": _ENDLESS if due_at is None else due_at,
        "busy": int(execution.busy),
        "document": _EXECUTION.encode(execution),
    }


def _key(key: ExecutionKey) -> dict[str, str]:
    return {"account_id": key.account_id, "region": key.region, "execution_id": key.id}
