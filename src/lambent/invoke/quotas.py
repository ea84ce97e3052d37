"""This node's parts of the limits that nodes share: asked for when they are first needed, or are used up, and settled
with every beat. In between, invocations count against them in memory.

A part that is to be given up is not used from then on, and given up after that: so whatever answer of the database is
lost, this node uses at most what it holds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.cluster.membership import Membership
from lambent.invoke.concurrency import Capacity
from lambent.model.lambda_errors import ServiceException_
from lambent.model.quota import Claim, Grant
from lambent.store.ports.errors import StoreError
from lambent.store.ports.quotas import QuotaStore

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.25
"""After an answer that granted no more, the database is not asked again for so long."""
_UNUSED_SECONDS = 600.0
_LATELY_SECONDS = 4.0


class _Part:
    """One capacity of which this node wants a part."""

    def __init__(self, capacity: Capacity, now: float) -> None:
        self.capacity = capacity
        self.refused = 0
        """How often more was asked for since it was settled."""
        self.wanted = 0
        self.used_at = now
        self.ask_at = 0.0
        self.asking: asyncio.Task[None] | None = None
        self.failed = False
        """Whether the database could not be asked last."""

    def claim(self, now: float) -> Claim:
        capacity = self.capacity
        used = capacity.running or self.refused or now - capacity.second < _LATELY_SECONDS
        if used:
            self.used_at = now
        # What was wanted is forgotten by and by.
        wanted = max(capacity.running, self.wanted // 2, 1 if used else 0) + self.refused
        self.wanted = min(capacity.total, wanted)
        self.refused = 0
        return Claim(name=capacity.name, limit=capacity.total, wanted=self.wanted, using=capacity.limit)

    def take(self, grant: Grant) -> bool:
        """Whether some of it is to be given up, which is not used any more from now on."""
        capacity = self.capacity
        keep = max(grant.fair, capacity.running)
        capacity.grant(min(grant.amount, keep))
        return grant.amount > keep


class Quotas:
    """`find` knows capacities by name; `grown` is called when this node may run more than before.

    What one node uses, the others take a part of, too: a node that dies takes its part with it for a while, and no
    more."""

    def __init__(
        self,
        store: QuotaStore,
        membership: Membership,
        clock: Clock,
        find: Callable[[str], Capacity | None],
        grown: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._membership = membership
        self._clock = clock
        self._find = find
        self._grown = grown
        self._sleep = sleep
        self._parts: dict[str, _Part] = {}
        self._settling = asyncio.Lock()
        self._tasks = Tasks("quotas")

    def rooms(self) -> Mapping[str, int]:
        """How many more may begin now, of every capacity of which this node has a part."""
        return {name: part.capacity.room for name, part in self._parts.items()}

    def uses(self) -> Mapping[str, int]:
        """How many run, of every capacity of which this node has a part."""
        return {name: part.capacity.running for name, part in self._parts.items()}

    async def ask(self, capacity: Capacity) -> None:
        """Returns when there is room, or none can be had now. Raises ServiceException_ where nothing was ever granted,
        and the database cannot be asked."""
        part = self._part(capacity)
        now = self._clock.monotonic()
        part.refused += 1
        if part.asking is None:
            if capacity.total == 0 or now < part.ask_at:
                return
            part.asking = self._tasks.start(self._settle_one(part), capacity.name)
        await asyncio.shield(part.asking)
        if part.failed and capacity.granted == 0:
            raise ServiceException_("The limits of concurrency could not be looked up.")

    def wish(self, capacity: Capacity) -> None:
        """Asks, and waits for nothing."""
        part = self._part(capacity)
        part.refused += 1
        if part.asking is None and capacity.total and self._clock.monotonic() >= part.ask_at:
            part.asking = self._tasks.start(self._settle_one(part), capacity.name)

    async def run(self) -> None:
        said = False
        while True:
            await self._sleep(self._membership.beat_seconds)
            try:
                await self.settle()
                said = False
            except StoreError as error:
                if not said:
                    log.warning("parts of limits cannot be settled, what this node has is used: %s", error)
                said = True

    async def settle(self) -> None:
        """Raises StoreError."""
        for name in await self._store.wanted():
            if name not in self._parts and (capacity := self._find(name)) is not None:
                self._part(capacity)
        unused_before = self._clock.monotonic() - _UNUSED_SECONDS
        unused = [name for name, part in self._parts.items() if part.used_at < unused_before]
        for name in unused:
            self._parts.pop(name).capacity.grant(0)
        if unused:
            await self._store.give_back(self._membership.me, unused)
        if too_much := await self._settle(list(self._parts.values())):
            await self._settle(too_much)

    def forget(self) -> None:
        """What this node had was given to others, or will be: it was taken for dead, or is cut off from the database
        alone."""
        for part in self._parts.values():
            part.capacity.grant(0)

    async def close(self) -> None:
        await self._tasks.close()

    def _part(self, capacity: Capacity) -> _Part:
        part = self._parts.get(capacity.name)
        if part is None or part.capacity is not capacity:
            part = self._parts[capacity.name] = _Part(capacity, self._clock.monotonic())
        return part

    async def _settle_one(self, part: _Part) -> None:
        before = part.capacity.limit
        try:
            await self._settle([part])
        except StoreError as error:
            log.warning("a part of the limit %s could not be asked for: %s", part.capacity.name, error)
            part.failed = True
        else:
            part.failed = False
        finally:
            part.asking = None
            if part.capacity.room == 0:
                part.ask_at = self._clock.monotonic() + _AGAIN_SECONDS
        if part.capacity.limit > before:
            self._grown()

    async def _settle(self, parts: Sequence[_Part]) -> list[_Part]:
        """Those of which some is to be given up. Raises StoreError."""
        if not parts:
            return []
        async with self._settling:
            grants = await self._store.settle(
                self._membership.me, [part.claim(self._clock.monotonic()) for part in parts]
            )
            if not grants:
                self.forget()
            return [
                part
                for part in parts
                if part.capacity.name in grants and part.take(grants[part.capacity.name])
            ]
