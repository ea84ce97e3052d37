"""Durable executions: their state, their operations with the times at which they are due, and their history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lambent.model.durable_execution.transition import Change, NewExecution, State
from lambent.model.durable_execution.values import DurableExecution, ExecutionKey, HistoryEvent
from lambent.model.function import FunctionId

T = TypeVar("T")

Decide = Callable[[State], tuple[Change | None, T]]
"""A pure function from an execution as it is to what is to be changed, and an answer. What it raises changes nothing;
it may be called more than once, on another thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """What ListDurableExecutionsByFunction asks for; times are epoch seconds, exclusive."""

    version: str | None = None
    name: str | None = None
    status: str | None = None
    started_after: float | None = None
    started_before: float | None = None


class DurableExecutionStore(Protocol):
    """What `start` and `change` have returned for is on disk, whatever is killed, and never by halves.

    Changes of one execution happen one after the other: each sees what the one before it left."""

    async def start(self, new: NewExecution) -> DurableExecution:
        """Stores it, and returns it; or returns the execution of this function that has the name already."""
        ...

    async def change(self, key: ExecutionKey, decide: Decide[T]) -> T:
        """Raises NotFoundError, and what `decide` raises."""
        ...

    async def view(self, key: ExecutionKey, read: Callable[[State], T]) -> T:
        """Reads one consistent state. Raises NotFoundError, and what `read` raises."""
        ...

    async def history(
        self, key: ExecutionKey, *, after: int | None, items: int, size: int, reverse: bool
    ) -> tuple[Sequence[HistoryEvent], bool]:
        """The events beyond the one with the id `after` (None: from the beginning), backwards where `reverse`: at most
        `items`, and no more than `size` bytes unless it is one. The second is whether there are more."""
        ...

    async def page(
        self,
        function: FunctionId,
        wanted: ExecutionFilter,
        *,
        after: tuple[float, str] | None,
        limit: int,
        oldest_first: bool,
    ) -> Sequence[tuple[DurableExecution, tuple[float, str]]]:
        """Executions by the time of their start, each with its place for the next page's `after`."""
        ...

    async def due(self, now: float, limit: int) -> Sequence[ExecutionKey]:
        """The executions for which something has to be done by `now`, the earliest first."""
        ...

    async def next_due(self) -> float | None: ...

    async def busy(self) -> Sequence[ExecutionKey]:
        """The executions of which something was under way."""
        ...

    async def delete(self, key: ExecutionKey) -> None:
        """With its operations and history. Nothing happens where it is gone already."""
        ...
