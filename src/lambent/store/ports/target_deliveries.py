"""Deliveries to targets that are still to be made, for rules and schedules apart."""

from collections.abc import Collection, Sequence
from typing import Protocol

from lambent.model.delivery import Delivery, DeliveryQueue


class TargetDeliveryStore(Protocol):
    """At-least-once: what `enqueue` returned for is claimed again and again until it is completed, whatever is killed.

    A claim belongs to `owner` until it is settled or given up: it has no time to run out at, which a clock that is set
    could bring forward. Of the deliveries of one `line` only the first is ever due."""

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        """All or none. Returns when they are on disk; concurrent callers share one commit. Raises StoreFullError."""
        ...

    async def claim(self, queue: DeliveryQueue, *, now: float, owner: str, limit: int) -> Sequence[Delivery]:
        """The earliest due deliveries (due_at <= now) that nobody holds, now claimed by `owner`."""
        ...

    async def complete(self, delivery: Delivery, *, owner: str) -> None:
        """Forgets what was delivered or given up; the next of its line is due. Only its claimant can."""
        ...

    async def retry(self, delivery: Delivery, *, owner: str) -> None:
        """Stores its new `attempts` and `due_at`, and gives up the claim."""
        ...

    async def release(
        self, queue: DeliveryQueue, *, owner: str, now: float, known: Collection[int] = ()
    ) -> int:
        """Gives up every claim of `owner` (a server that starts again after a crash) but those of the numbers `known`:
        it was not told of a claim whose answer was lost. Returns how many."""
        ...

    async def release_lost(self, queue: DeliveryQueue, *, now: float) -> int:
        """Gives up every claim of who is no node of the cluster (any more). Returns how many."""
        ...

    async def hasten(self, queue: DeliveryQueue, *, now: float, latest: float) -> int:
        """What nobody holds and is due after `latest` is due now: the clock was set back. Returns how many."""
        ...

    async def next_due(self, queue: DeliveryQueue) -> float | None:
        """When the earliest delivery that nobody holds is due."""
        ...

    async def depth(self, queue: DeliveryQueue) -> int: ...

    async def busy_lines(self, queue: DeliveryQueue, lines: Collection[str]) -> int:
        """In how many of these lines something stands."""
        ...
