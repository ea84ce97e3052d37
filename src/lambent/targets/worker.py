"""Takes deliveries from the queue on disk and makes them, until each is delivered or given up.

A crash in the middle leaves a claimed delivery in the queue; the next start of this server gives its claims back, and
another node those of one that is gone.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from lambent.base.clock import Clock, Jumps
from lambent.base.tasks import Tasks
from lambent.model.delivery import Delivery, DeliveryQueue
from lambent.store.ports.errors import StoreError
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.targets.failure import DeliveryFailedError
from lambent.targets.retries import Decide, Exhausted, Retry, after_failure

log = logging.getLogger(__name__)

_CALL_SECONDS_MOST = 120.0
"""Longer than any call of a target takes: asynchronous invocations, messages, HTTP requests of 5 s."""
_RUNNING_MOST = 128
"""Many, for some may wait for a server that does not answer."""
_LOOK_SECONDS = 5.0
_STORE_SECONDS = 1.0
_DELAY_MOST_SECONDS = 3600.0
"""No retry is put off for longer, where the base is a second."""

Outcome = Literal["delivered", "retried", "failed"]
"""`failed`: it is tried no more."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that is given up, and why."""

    delivery: Delivery
    failure: DeliveryFailedError
    exhausted: Exhausted | None


class Courier(Protocol):
    """Who makes the deliveries of one queue."""

    async def deliver(self, delivery: Delivery) -> None:
        """Raises DeliveryFailedError."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Sends it where dead letters go. What cannot be sent there is lost, as on AWS."""
        ...

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        """For metrics."""
        ...


class DeliveryWorker:
    """`base_seconds` is the delay before the first retry. `owner` names this server in its claims; `decide`
    says what becomes of a delivery that failed. None is enqueued more than `ahead_seconds` before it is due."""

    def __init__(
        self,
        queue: DeliveryQueue,
        store: TargetDeliveryStore,
        courier: Courier,
        clock: Clock,
        *,
        base_seconds: float,
        owner: str = "local",
        decide: Decide = after_failure,
        ahead_seconds: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queue = queue
        self._store = store
        self._courier = courier
        self._clock = clock
        self._base_seconds = base_seconds
        self._owner = owner
        self._decide = decide
        self._sleep = sleep
        self._wake = asyncio.Event()
        self._running = 0
        self._in_progress: set[int] = set()
        self._recovered = False
        self._looked_at: float | None = None
        self._ahead_seconds = ahead_seconds
        self._jumps = Jumps(clock)
        self._set_back = False
        self._tasks = Tasks(f"deliveries of {queue}")

    def wake(self) -> None:
        """Something was enqueued."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. A store that fails is asked again."""
        while True:
            self._wake.clear()
            try:
                if not self._recovered:
                    await self._recover()
                await self._take_over()
                if await self.run_due() == 0:
                    await self._sleep_until_due()
            except Exception:
                log.exception(
                    "deliveries of %s cannot be read; next try in %.0f s", self._queue, _STORE_SECONDS
                )
                await self._sleep(_STORE_SECONDS)

    async def close(self) -> None:
        """Waits for nothing: what is cancelled here is still claimed, and made at the next start."""
        await self._tasks.close()

    async def run_due(self) -> int:
        """Starts what is due, as far as there is room. Returns how many."""
        room = _RUNNING_MOST - self._running
        if room <= 0:
            return 0
        claimed = await self._store.claim(self._queue, now=self._clock.now(), owner=self._owner, limit=room)
        for delivery in claimed:
            self._running += 1
            self._in_progress.add(delivery.number)
            self._tasks.start(self._run_one(delivery), f"{delivery.number} to {delivery.target.get('Arn')}")
        return len(claimed)

    async def finish(self, seconds: float) -> None:
        """Waits for what was started."""
        await self._tasks.finish(seconds)

    async def _recover(self) -> None:
        released = await self._store.release(self._queue, owner=self._owner, now=self._clock.now())
        self._recovered = True
        if released:
            log.info("%d deliveries of %s were in progress when the server ended", released, self._queue)

    async def hasten(self) -> None:
        """Nothing waits for longer than it was told to: the clock may have been set back, or be another's who enqueued
        it, and is gone. Where it is seen to be set back, nobody knows what waits by right: nothing does."""
        self._look_at_clock()
        now = self._clock.now()
        longest = max(self._ahead_seconds, _DELAY_MOST_SECONDS * max(1.0, self._base_seconds))
        latest = now if self._set_back else now + longest
        if hastened := await self._store.hasten(self._queue, now=now, latest=latest):
            log.warning("%d deliveries of %s waited for a time of another clock", hastened, self._queue)
        self._set_back = False

    def _look_at_clock(self) -> None:
        self._set_back = self._jumps.look() < 0 or self._set_back

    async def _take_over(self) -> None:
        """Now and then, what nodes had that are gone, and what waits for too long."""
        now = self._clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        await self.hasten()
        released = await self._store.release(
            self._queue, owner=self._owner, now=self._clock.now(), known=self._in_progress
        )
        if released:
            log.warning("%d deliveries of %s were claimed without a word of it", released, self._queue)
        if taken := await self._store.release_lost(self._queue, now=self._clock.now()):
            log.warning("%d deliveries of %s were with nodes that are gone", taken, self._queue)

    async def _sleep_until_due(self) -> None:
        seconds = _LOOK_SECONDS
        if self._running < _RUNNING_MOST and (due := await self._store.next_due(self._queue)) is not None:
            seconds = max(0.0, min(seconds, due - self._clock.now()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _run_one(self, delivery: Delivery) -> None:
        try:
            failure = await self._try(delivery)
            if failure is None:
                self._courier.tell(delivery, "delivered")
                await self._settle(self._store.complete, delivery)
            else:
                await self._fail(delivery, failure)
        finally:
            self._running -= 1
            self._in_progress.discard(delivery.number)
            self._wake.set()

    async def _try(self, delivery: Delivery) -> DeliveryFailedError | None:
        try:
            async with asyncio.timeout(_CALL_SECONDS_MOST):
                await self._courier.deliver(delivery)
        except DeliveryFailedError as failure:
            return failure
        except Exception as error:
            log.exception("delivery %d to %s failed", delivery.number, delivery.target.get("Arn"))
            return DeliveryFailedError("INTERNAL_ERROR", type(error).__name__, retriable=True)
        return None

    async def _fail(self, delivery: Delivery, failure: DeliveryFailedError) -> None:
        self._look_at_clock()
        # No delivery becomes too old because the clock was set forward.
        delivery = replace(delivery, accepted_at=self._jumps.translated(delivery.accepted_at))
        decision = self._decide(
            delivery,
            retriable=failure.retriable,
            now=self._clock.now(),
            base_seconds=self._base_seconds,
            jitter=random.random(),  # noqa: S311 - spreads retries
        )
        if isinstance(decision, Retry):
            self._courier.tell(delivery, "retried")
            await self._settle(self._store.retry, decision.delivery)
            return
        log.warning(
            "a delivery of %s to %s is given up: %s: %s",
            delivery.source_arn,
            delivery.target.get("Arn"),
            failure.code,
            failure.message,
        )
        self._courier.tell(delivery, "failed")
        try:
            await self._courier.bury(DeadLetter(delivery, failure, decision.exhausted))
        except Exception:
            log.exception("delivery %d could not become a dead letter", delivery.number)
        await self._settle(self._store.complete, delivery)

    async def _settle(self, settle: Callable[..., Awaitable[None]], delivery: Delivery) -> None:
        """Until the store takes it: what is done and not settled would be done again when its claim is over."""
        while True:
            try:
                return await settle(delivery, owner=self._owner)
            except StoreError:
                log.exception("what became of delivery %d could not be stored; trying again", delivery.number)
                await self._sleep(_STORE_SECONDS)
