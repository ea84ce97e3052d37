"""Wakes up when a record is due, and has it dealt with: for rules and schedules alike.

The store says what is due next; one task sleeps until then. It looks at the clock again at least once a minute, so
that a clock that was set is noticed, and at once when it is woken for a change. Where the clock was set forward, what
was passed over is due at once; where it was set back, each record is given the time that it would have now.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from lambent.base.clock import Clock, Jumps
from lambent.store.ports.errors import NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.named_records import Due, Name, NamedRecords

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_FAILED_SECONDS = 60.0
_BATCH = 100
DAY_SECONDS = 86_400

T = TypeVar("T")


class Timer(Generic[T]):
    """`fire` gives a due record its next time; what raises StaleRevisionError or NotFoundError was changed meanwhile,
    and is looked at again. `following` says when a record that waits would be due, if it was written at that time."""

    def __init__(
        self,
        records: NamedRecords[T],
        fire: Callable[[Due[T]], Awaitable[None]],
        following: Callable[[T, float], float | None],
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._records = records
        self._fire = fire
        self._following = following
        self._clock = clock
        self._sleep = sleep
        self._jumps = Jumps(clock)
        self._set_back = True
        """Or it may have been, while nobody looked."""
        self._followed: Name | None = None
        """Up to which of the records."""
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something may be due earlier than before."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. A store that fails is asked again; a record that fails is put off, and no other with it."""
        while True:
            self._wake.clear()
            try:
                await self.fire_due()
                if not await self.follow_clock():
                    await self._sleep_until_due()
            except Exception:
                log.exception("what is due cannot be read; next try in %.0f s", _RETRY_SECONDS)
                await self._sleep(_RETRY_SECONDS)

    async def fire_due(self) -> None:
        while due := await self._records.due(now=self._clock.now(), limit=_BATCH):
            for each in due:
                with contextlib.suppress(NotFoundError, StaleRevisionError):
                    await self._fire_one(each)

    async def follow_clock(self) -> bool:
        """Some of those that the clock was set back from. Returns whether there are more."""
        if self._jumps.look() < 0:
            self._set_back, self._followed = True, None
        if not self._set_back:
            return False
        now = self._clock.now()
        later = await self._records.due_later(than=now, after=self._followed, limit=_BATCH)
        for each in later:
            due_at = self._following(each.value, now)
            if due_at is not None and due_at < each.due_at:
                with contextlib.suppress(NotFoundError, StaleRevisionError):
                    await self._records.replace(each.name, each.value, previous=each.value, due_at=due_at)
        self._set_back = len(later) == _BATCH
        self._followed = later[-1].name if self._set_back else None
        return self._set_back

    async def _fire_one(self, due: Due[T]) -> None:
        try:
            await self._fire(due)
        except StoreError:
            raise
        except Exception:  # the others shall not wait for one that fails
            log.exception("%s failed; again in %.0f s", due.name, _FAILED_SECONDS)
            await self._records.replace(
                due.name, due.value, previous=due.value, due_at=self._clock.now() + _FAILED_SECONDS
            )

    async def _sleep_until_due(self) -> None:
        due = await self._records.next_due()
        seconds = _LOOK_SECONDS if due is None else max(0.0, min(_LOOK_SECONDS, due - self._clock.now()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)


def latest(due_at: float, now: float, following: Callable[[float], float | None]) -> float:
    """The last time up to `now` at which something was due, `due_at` being the first of those that were missed and
    `following` knowing the time after a time."""
    time = due_at
    if now - due_at > DAY_SECONDS:  # of what is due every minute, do not count the minutes of a year
        recent = following(now - DAY_SECONDS)
        time = recent if recent is not None and recent <= now else due_at
    while (after := following(time)) is not None and after <= now:
        time = after
    return time
