"""A mapping on a queue at work: one loop polls, and every batch is delivered by a task of its own.

What is decided is decided elsewhere (filters, batching, scaling, batch_response). Idle, it is one long poll.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.event_sources.batching import BatchRules, Deliver, Gathered, next_step
from lambent.event_sources.delivery import Delivery, Invoke
from lambent.event_sources.filters import Filters
from lambent.event_sources.scaling import Scaling, ScalingRules
from lambent.event_sources.source import EventSource, Record
from lambent.event_sources.work import Work
from lambent.model.error import ServiceException
from lambent.store.ports.errors import StoreError

log = logging.getLogger(__name__)

Measure = Callable[[str, float], None]
"""Takes an event source mapping metric by CloudWatch's name, and its value."""
W = TypeVar("W", bound=Work)
Reveal = Callable[[W], Awaitable[W]]
"""The mapping with its filter criteria in the clear. Raises ServiceException where their key says no."""


async def in_the_clear(mapping: W) -> W:
    """Reveals nothing: of mappings whose criteria are not encrypted."""
    return mapping


_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_LOOK_SECONDS = 1.0
"""How often a full house looks whether it may grow."""


class QueueRunner(Generic[W]):
    """`start` it once, `stop` it once, `drain` it then."""

    def __init__(
        self,
        mapping: W,
        source: EventSource,
        invoke: Invoke,
        clock: Clock,
        measure: Measure,
        *,
        reveal: Reveal[W] = in_the_clear,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        settings = mapping.settings
        self._mapping = mapping
        self._source = source
        self._clock = clock
        self._measure = measure
        self._sleep = sleep
        self._reveal = reveal
        self._rules = BatchRules(
            size=settings["BatchSize"], window_seconds=settings.get("MaximumBatchingWindowInSeconds", 0)
        )
        self._scaling = Scaling(ScalingRules.of(settings))
        self._delivery = Delivery(mapping, source, invoke, clock, sleep=sleep)
        self._gathered = Gathered()
        self._running = 0
        self._hold_seconds: float | None = None
        self._changed = asyncio.Event()
        self._polling = Tasks(f"mapping {mapping.uuid}")
        self._delivering = Tasks(f"mapping {mapping.uuid}")

    def start(self) -> None:
        self._polling.start(self._run(), "poll")

    async def stop(self) -> None:
        """Polls no more, and gives back what was not tried."""
        await self._polling.close()
        if waiting := self._gathered.take(len(self._gathered.records)):
            with contextlib.suppress(ServiceException, StoreError):
                await self._source.give_back(waiting)

    async def drain(self, seconds: float | None = None) -> None:
        """Waits for the batches that functions have: all of them, or those that end within `seconds`."""
        if seconds is not None:
            await self._delivering.finish(seconds)
        while self._running:
            self._changed.clear()
            await self._changed.wait()

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        filters: Filters | None = None
        while True:
            try:
                filters = filters or await self._read_filters()
                await self._wait_for_room()
                batch = await self._gather(filters)
            except Exception as error:
                expected = isinstance(error, (ServiceException, StoreError))
                log.warning("%s cannot be polled: %s", self._mapping.arn, error, exc_info=not expected)
                self._hold_seconds = None
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            self._running += 1
            self._delivering.start(self._deliver(batch), "deliver")

    async def _wait_for_room(self) -> None:
        while self._room() <= 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _LOOK_SECONDS)

    def _room(self) -> int:
        return self._scaling.allowed(self._clock.monotonic()) - self._running

    async def _read_filters(self) -> Filters:
        criteria = (await self._reveal(self._mapping)).settings.get("FilterCriteria", {})
        return Filters([each["Pattern"] for each in criteria.get("Filters", ())], self._source.data_member)

    async def _gather(self, filters: Filters) -> list[Record]:
        """The next batch."""
        if self._hold_seconds is None:
            self._hold_seconds = await self._source.hold_seconds()
        while True:
            now = self._clock.monotonic()
            ahead = 0 if self._source.ordered else (self._room() - 1) * self._rules.size
            step = next_step(self._gathered, now, self._rules, ahead=ahead)
            if isinstance(step, Deliver):
                return self._gathered.take(step.count)
            records = await self._source.poll(
                most=min(step.most, self._source.poll_most), wait_seconds=step.wait_seconds
            )
            now = self._clock.monotonic()
            self._scaling.polled(len(records), now)
            self._gathered.add(await self._wanted(filters, records), now)

    async def _wanted(self, filters: Filters, records: Sequence[Record]) -> Sequence[Record]:
        """What no filter wants is done with."""
        wanted: list[Record] = []
        unwanted: list[Record] = []
        for record in records:
            (wanted if filters.wants(record) else unwanted).append(record)
        if records:
            self._measure("PolledEventCount", len(records))
        if unwanted:
            self._measure("FilteredOutEventCount", len(unwanted))
            await self._settle(unwanted)
        return wanted

    async def _deliver(self, batch: Sequence[Record]) -> None:
        try:
            outcome = await self._delivery.deliver(batch, self._hold_seconds or 0.0, self._refused)
            self._measure("InvokedEventCount", 0 if outcome.refused else len(batch))
            if not outcome.refused:
                self._scaling.succeeded()
            if failed := len(batch) - len(outcome.done):
                self._measure("FailedInvokeEventCount", failed)
            if outcome.done:
                await self._settle(outcome.done)
            if outcome.hopeless:
                await self._give_up(batch)
        finally:
            self._running -= 1
            self._changed.set()

    async def _give_up(self, records: Sequence[Record]) -> None:
        with contextlib.suppress(ServiceException, StoreError):  # then it is done when they come again
            await self._source.give_up(records)
        self._measure("DroppedEventCount", len(records))

    def _refused(self) -> None:
        self._scaling.throttled(self._running)

    async def _settle(self, records: Sequence[Record]) -> None:
        """What cannot be settled comes again."""
        try:
            await self._source.settle(records)
        except (ServiceException, StoreError) as error:
            log.warning("%d records of %s come again: %s", len(records), self._mapping.arn, error)
        else:
            self._measure("DeletedEventCount", len(records))
