"""What S3 has to tell other services: written with the change that it is of, gone when it was delivered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.model.stored_object import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedNotice:
    id: int
    attempts: int
    created_at: float
    notice: Notice


class NoticeStore(Protocol):
    async def due(self, now: float, limit: int) -> Sequence[QueuedNotice]:
        """Those whose time has come, the oldest first."""
        ...

    async def next_due(self) -> float | None:
        """When the first of all is due."""
        ...

    async def complete(self, ids: Sequence[int]) -> None: ...

    async def hasten(self, *, now: float, latest: float) -> int:
        """Whatever is due after `latest` is due now. Returns how many."""
        ...

    async def postpone(self, id: int, due_at: float) -> None:
        """Counts one more attempt."""
        ...
