"""What was written of that which nodes answer from memory, so that each hears of what another wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedChange:
    """`kind` says what changed ("function"), `key` which one (account/region/name). `number` only tells changes apart:
    one with a smaller number may become visible later."""

    number: int
    kind: str
    key: str
    age_seconds: float


class ChangeStore(Protocol):
    """Stores note a change in the transaction that makes it (store/sql/changes.py)."""

    async def since(self, number: int) -> Sequence[NotedChange]:
        """Those with a greater number, in the order of their numbers."""
        ...

    async def bounds(self) -> tuple[int, int]:
        """The smallest and the greatest number of what is kept; (0, 0) where nothing is."""
        ...

    async def forget(self, *, older_than_seconds: float) -> int:
        """But for the last, so that numbers are known. Returns how many."""
        ...
