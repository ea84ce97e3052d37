"""Events in archives."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lambent.model.event_archive import ArchivedEvent


class EventArchiveStore(Protocol):
    """By the id of the archive. Events of an archive that is gone are swept away."""

    async def append(self, events: Sequence[ArchivedEvent]) -> None:
        """All or none. Returns when they are on disk; concurrent callers share one commit. Raises StoreFullError."""
        ...

    async def page(
        self, archive_id: str, *, start: float, end: float, after: tuple[float, int] | None, limit: int
    ) -> Sequence[ArchivedEvent]:
        """Those from `start` up to `end` (event time, epoch seconds), by time and number, beginning behind such a
        pair."""
        ...

    async def size(self, archive_id: str) -> tuple[int, int]:
        """How many events, and of how many bytes."""
        ...

    async def sweep(self, oldest: Mapping[str, float], *, limit: int) -> int:
        """Deletes events that were archived before their archive's time here, and those of archives that are not
        named; at most so many. Returns how many."""
        ...
