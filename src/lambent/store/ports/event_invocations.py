"""The queue of asynchronous invocations."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from lambent.model.invocation import EventInvocation, EventLine


class EventInvocationStore(Protocol):
    """At-least-once: what `enqueue` returned for is claimed again and again until it is completed, whatever is killed.

    What is claimed has an `id`, by which it is known from then on.

    A claim belongs to `owner` until `until` (epoch seconds), or until it is given up. Each function and each tenant
    has a line of its own: however long it is, finding the first of another takes no longer."""

    async def enqueue(self, invocation: EventInvocation) -> None:
        """Returns when the event is safely on disk; concurrent callers share one commit. Raises StoreFullError."""
        ...

    async def waiting(self) -> Mapping[EventLine, float]:
        """The lines with invocations that nobody holds, and when the earliest of each is due."""
        ...

    async def claim(
        self, wanted: Mapping[EventLine, int], *, now: float, owner: str, until: float
    ) -> Sequence[EventInvocation]:
        """Of each line so many of the earliest due (due_at <= now) that nobody holds, now claimed by `owner`."""
        ...

    async def complete(self, invocation: EventInvocation, *, owner: str) -> None:
        """Forgets an invocation that has run and been told of. Only its claimant can."""
        ...

    async def conclude(self, invocation: EventInvocation, *, owner: str) -> None:
        """Stores its `outcome` and `response`; the claim stays. From now on it is told of, and not run."""
        ...

    async def retry(self, invocation: EventInvocation, *, owner: str) -> None:
        """Stores all of it but payload and response (its counts, `due_at`, `outcome`), and gives up the claim."""
        ...

    async def release(self, owner: str) -> int:
        """Gives up every claim of `owner` (a server that starts again after a crash). Returns how many."""
        ...

    async def release_forgotten(self, owner: str, known: Collection[int]) -> int:
        """Gives up what `owner` has claimed but those with these ids: it was not told of a claim whose answer was lost.
        Returns how many."""
        ...

    async def release_expired(self, owner: str, now: float) -> int:
        """Gives up the claims of `owner` that have run out, by the clock that it made them by. Returns how many."""
        ...

    async def hasten(self, *, now: float, latest: float) -> int:
        """What nobody holds and is due later than `latest` is due `now`. Returns how many."""
        ...

    async def release_lost(self) -> int:
        """Gives up every claim of who is no node of the cluster (any more). Returns how many."""
        ...

    async def depth(self) -> int: ...
