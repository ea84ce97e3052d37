"""The queue of asynchronous invocations."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.invocation import EventInvocation


class EventInvocationStore(Protocol):
    """At-least-once: what `enqueue` returned for is claimed again and again until it is completed, whatever is killed.

    A claim belongs to `owner` until `until` (epoch seconds); a claim that has run out may be taken by another."""

    async def enqueue(self, invocation: EventInvocation) -> None:
        """Returns when the event is safely on disk; concurrent callers share one commit. Raises StoreFullError."""
        ...

    async def claim(self, *, now: float, owner: str, until: float, limit: int) -> Sequence[EventInvocation]:
        """The earliest due invocations (due_at <= now) that nobody holds, now claimed by `owner`."""
        ...

    async def complete(self, request_id: str, *, owner: str) -> None:
        """Forgets an invocation that has run or been delivered elsewhere. Only its claimant can."""
        ...

    async def retry(self, invocation: EventInvocation, *, owner: str) -> None:
        """Stores its new `attempt`, `throttles` and `due_at`, and gives up the claim."""
        ...

    async def release(self, owner: str) -> int:
        """Gives up every claim of `owner` (a server that starts again after a crash). Returns how many."""
        ...

    async def next_due(self) -> float | None:
        """When the earliest unclaimed invocation is due."""
        ...

    async def depth(self) -> int: ...
