"""Metrics, minute by minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.model.tally import MetricKey, Tally


@dataclass(frozen=True, slots=True)
class Minute:
    """Where a tally belongs. `start` is epoch seconds, a whole minute; `unit` is of the StandardUnit shape."""

    metric: MetricKey
    unit: str
    start: int


class MetricStore(Protocol):
    async def add(self, tallies: Mapping[Minute, Tally]) -> None:
        """Merges them into what is there. On disk when it returns; concurrent callers share one commit. Raises
        StoreFullError."""
        ...

    async def read(self, metric: MetricKey, *, start: float, end: float) -> Sequence[tuple[Minute, Tally]]:
        """Of the minutes that begin at `start` or later and before `end`, in their order."""
        ...

    async def page(
        self,
        account_id: str,
        region: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        active_since: float = 0.0,
        after: int = 0,
        limit: int,
    ) -> Sequence[tuple[int, MetricKey]]:
        """Each with a number to go on behind. `active_since` leaves out what was measured last before that time."""
        ...

    async def roll_up(self, *, before: float, seconds: int) -> bool:
        """The minutes of the earliest `seconds` (a multiple of 60) that are over before a time, and were not rolled up
        yet, become one each. False where nothing is left to do."""
        ...

    async def expire(self, *, before: float, limit: int) -> int:
        """Deletes minutes before a time. Returns how many, at most `limit`."""
        ...
