"""A DurableExecutionStore in memory, for tests without a disk: the contract suite holds it to the same rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from lambent.model.durable_execution.transition import Change, NewExecution, State
from lambent.model.durable_execution.values import DurableExecution, ExecutionKey, HistoryEvent, Operation
from lambent.model.function import FunctionId
from lambent.store.ports.durable_executions import Decide, ExecutionFilter
from lambent.store.ports.errors import NotFoundError

T = TypeVar("T")


@dataclass
class MemoryState:
    """One execution, and a `State` of it."""

    execution: DurableExecution
    operations: dict[str, Operation] = field(default_factory=dict)
    events: list[HistoryEvent] = field(default_factory=list)

    @classmethod
    def of(cls, new: NewExecution) -> "MemoryState":
        return cls(new.execution, {new.operation.id: new.operation}, [new.event])

    def apply(self, change: Change | None) -> None:
        if change is not None:
            self.execution = change.execution
            self.operations |= {operation.id: operation for operation in change.operations}
            self.events += change.events

    def in_order(self) -> list[Operation]:
        return sorted(self.operations.values(), key=lambda operation: operation.sequence)

    def operation(self, id: str) -> Operation | None:
        return self.operations.get(id)

    def due(self, now: float) -> Sequence[Operation]:
        return [one for one in self.in_order() if one.due_at is not None and one.due_at <= now]

    def changed_since(self, changes: int) -> Sequence[Operation]:
        return [one for one in self.in_order() if one.changed > changes]

    def page(self, after: int, *, items: int, size: int) -> tuple[Sequence[Operation], bool]:
        shown = [one for one in self.in_order() if one.sequence > after and not self._hidden(one)]
        found: list[Operation] = []
        for one in shown:
            size -= len(one.input or "") + len(one.result or "")
            if len(found) == items or (found and size < 0):
                return found, True
            found.append(one)
        return found, False

    def _hidden(self, operation: Operation) -> bool:
        parent = self.operations.get(operation.parent_id or "")
        return parent is not None and (parent.closes_children or self._hidden(parent))

    @property
    def due_at(self) -> float:
        times = [self.execution.due_at]
        if not self.execution.closed:
            times += [one.due_at for one in self.operations.values()]
        return min(time for time in times if time is not None)


class MemoryDurableExecutionStore:
    def __init__(self) -> None:
        self.states: dict[ExecutionKey, MemoryState] = {}

    async def start(self, new: NewExecution) -> DurableExecution:
        wanted = new.execution
        for state in self.states.values():
            if (state.execution.function, state.execution.name) == (wanted.function, wanted.name):
                return state.execution
        self.states[wanted.key] = MemoryState.of(new)
        return wanted

    async def change(self, key: ExecutionKey, decide: Decide[T]) -> T:
        state = self._get(key)
        change, answer = decide(state)
        state.apply(change)
        for child in change.children if change is not None else ():
            self.states[child.execution.key] = MemoryState.of(child)
        return answer

    async def view(self, key: ExecutionKey, read: Callable[[State], T]) -> T:
        return read(self._get(key))

    async def history(
        self, key: ExecutionKey, *, after: int | None, items: int, size: int, reverse: bool
    ) -> tuple[Sequence[HistoryEvent], bool]:
        events = self._get(key).events[:: -1 if reverse else 1]
        beyond = [e for e in events if after is None or (e.id < after if reverse else e.id > after)]
        found: list[HistoryEvent] = []
        for event in beyond:
            size -= len(str(event.members))
            if len(found) == items or (found and size < 0):
                return found, True
            found.append(event)
        return found, False

    async def page(
        self,
        function: FunctionId,
        wanted: ExecutionFilter,
        *,
        after: tuple[float, str] | None,
        limit: int,
        oldest_first: bool,
    ) -> Sequence[tuple[DurableExecution, tuple[float, str]]]:
        found = [
            (one.execution, (one.execution.started_at, one.execution.id))
            for one in self.states.values()
            if one.execution.function == function and _matches(one.execution, wanted)
        ]
        found.sort(key=lambda entry: entry[1], reverse=not oldest_first)
        if after is not None:
            found = [entry for entry in found if (entry[1] > after if oldest_first else entry[1] < after)]
        return found[:limit]

    async def due(self, now: float, limit: int) -> Sequence[ExecutionKey]:
        due = sorted((state.due_at, key) for key, state in self.states.items() if state.due_at <= now)
        return [key for _, key in due[:limit]]

    async def next_due(self) -> float | None:
        return min((state.due_at for state in self.states.values()), default=None)

    async def busy(self) -> Sequence[ExecutionKey]:
        return [key for key, state in self.states.items() if state.execution.busy]

    async def delete(self, key: ExecutionKey) -> None:
        self.states.pop(key, None)

    def _get(self, key: ExecutionKey) -> MemoryState:
        if key not in self.states:
            raise NotFoundError(key.id)
        return self.states[key]


def _matches(execution: DurableExecution, wanted: ExecutionFilter) -> bool:
    return (
        wanted.version in (None, execution.version)
        and wanted.name in (None, execution.name)
        and wanted.status in (None, execution.status)
        and (wanted.started_after is None or execution.started_at > wanted.started_after)
        and (wanted.started_before is None or execution.started_at < wanted.started_before)
    )
