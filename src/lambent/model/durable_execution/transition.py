"""How a change of an execution is made: read through `State`, collected in a `Transition`, stored as a `Change`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lambent.model.durable_execution.values import DurableExecution, HistoryEvent, Operation


class State(Protocol):
    """One execution as it is stored. Reads are cheap by id, and follow an index otherwise."""

    @property
    def execution(self) -> DurableExecution: ...

    def operation(self, id: str) -> Operation | None: ...

    def due(self, now: float) -> Sequence[Operation]:
        """The operations that time changes by `now`, in the order of their start."""
        ...

    def changed_since(self, changes: int) -> Sequence[Operation]:
        """The operations whose last change came after this many, in the order of their start."""
        ...

    def page(self, after: int, *, items: int, size: int) -> tuple[Sequence[Operation], bool]:
        """What a replay needs, in the order of start, from the first whose `sequence` is greater than `after`: at most
        `items`, and no more than `size` bytes unless it is one. The second is whether there are more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExecution:
    execution: DurableExecution
    operation: Operation
    event: HistoryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be stored, as one step. `children` are executions that begin with it."""

    execution: DurableExecution
    operations: Sequence[Operation] = ()
    events: Sequence[HistoryEvent] = ()
    children: Sequence[NewExecution] = ()


class Transition:
    """A change in the making: reads see what was changed already."""

    def __init__(self, state: State, now: float) -> None:
        self.state = state
        self.now = now
        self.execution = state.execution
        self.children: list[NewExecution] = []
        self._operations: dict[str, Operation] = {}
        self._events: list[HistoryEvent] = []

    def set(self, **fields: Any) -> None:
        """Of the execution itself."""
        self.execution = replace(self.execution, **fields)

    def operation(self, id: str) -> Operation | None:
        return self._operations.get(id) or self.state.operation(id)

    def put(self, operation: Operation) -> Operation:
        before = self.operation(operation.id)
        execution = self.execution
        operation = replace(operation, changed=execution.changes + 1)
        self.set(
            changes=operation.changed,
            operations=execution.operations + (before is None),
            pending=execution.pending + operation.pending - (before is not None and before.pending),
            dispatches=execution.dispatches
            + operation.dispatched
            - (before is not None and before.dispatched),
        )
        self._operations[operation.id] = operation
        return operation

    def event(
        self, event_type: str, details: Mapping[str, Any], operation: Operation | None = None, **members: Any
    ) -> None:
        """Appends to the history. `operation` is whom it is about; without one it is about the execution's run."""
        number = self.execution.events + 1
        about: dict[str, Any] = {"EventType": event_type, "EventId": number, "EventTimestamp": self.now}
        if operation is not None:
            about["Id"] = operation.id
            optional = {
                "SubType": operation.sub_type,
                "Name": operation.name,
                "ParentId": operation.parent_id,
            }
            about |= {name: value for name, value in optional.items() if value is not None}
        self.set(events=number)
        self._events.append(HistoryEvent(id=number, members={**about, f"{event_type}Details": dict(details)}))

    def due(self) -> list[Operation]:
        found = [self.operation(operation.id) for operation in self.state.due(self.now)]
        return [one for one in found if one is not None and one.due_at is not None and one.due_at <= self.now]

    def unseen(self, since: int) -> list[Operation]:
        """Changed after `since`, in the order of start."""
        found = {operation.id: operation for operation in self.state.changed_since(since)} | self._operations
        return sorted(found.values(), key=lambda operation: operation.sequence)

    def change(self) -> Change:
        return Change(
            execution=self.execution,
            operations=tuple(self._operations.values()),
            events=tuple(self._events),
            children=tuple(self.children),
        )
