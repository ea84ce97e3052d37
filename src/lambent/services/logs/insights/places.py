"""Who runs a query now: a few at a time in all, and no account waits for another's long ones."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lambent.base.clock import Clock

_SLICE_SECONDS = 1.0
"""So long a query keeps its place where an account waits that has fewer."""


@dataclass(slots=True, eq=False)
class Place:
    """Of one query. `begun`: it has run before, and keeps its process and memory. `turn` counts those handed out."""

    account_id: str
    begun: bool = False
    running: bool = False
    since: float = 0.0
    turn: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Places:
    """The next place is for the account that runs the fewest, and of several for the one whose last turn is the longest
    ago. Of one account no more queries are begun than there are places."""

    def __init__(self, count: int, clock: Clock) -> None:
        self._count = count
        self._clock = clock
        self._asked: dict[Place, None] = {}
        """In the order in which they came."""
        self._turns = 0

    @asynccontextmanager
    async def take(self, account_id: str) -> AsyncGenerator[Place, None]:
        """Waits for a place, and gives it back."""
        place = Place(account_id)
        self._asked[place] = None
        try:
            await self._wait(place)
            yield place
        finally:
            del self._asked[place]
            self._hand_out()

    def is_wanted(self, place: Place) -> bool:
        """Whether it was held long enough, and an account waits that has fewer."""
        if self._clock.monotonic() - place.since < _SLICE_SECONDS:
            return False
        own = self._running(place.account_id)
        return any(self._running(other.account_id) < own for other in self._next())

    async def hand_on(self, place: Place) -> None:
        """Lets the other have it, and waits for the next one."""
        place.running = False
        await self._wait(place)

    async def _wait(self, place: Place) -> None:
        place.told.clear()
        self._hand_out()
        await place.told.wait()

    def _hand_out(self) -> None:
        while self._count_of(lambda place: place.running) < self._count and (found := self._next()):
            place = min(found, key=self._precedence)
            self._turns += 1
            place.turn, place.since = self._turns, self._clock.monotonic()
            place.begun = place.running = True
            place.told.set()

    def _next(self) -> list[Place]:
        """Those that wait and may run."""
        return [
            place
            for place in self._asked
            if not place.running and (place.begun or self._begun(place.account_id) < self._count)
        ]

    def _precedence(self, place: Place) -> tuple[int, int, bool]:
        turns = [other.turn for other in self._asked if other.account_id == place.account_id]
        return self._running(place.account_id), max(turns), not place.begun

    def _running(self, account_id: str) -> int:
        return self._count_of(lambda place: place.running and place.account_id == account_id)

    def _begun(self, account_id: str) -> int:
        return self._count_of(lambda place: place.begun and place.account_id == account_id)

    def _count_of(self, wanted: Callable[[Place], bool]) -> int:
        return sum(map(wanted, self._asked))
