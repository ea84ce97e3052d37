"""The asynchronous half: events are claimed from the queue on disk, handled, and forgotten only when they are over.

A crash in the middle leaves a claimed event in the queue; the next start of this server gives its claims back, another
node gives back those of one that is gone, and a claim that nobody gives back runs out. So an accepted event runs at
least once, whatever is killed.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from lambent.base.clock import Clock, Jumps
from lambent.base.tasks import Tasks
from lambent.invoke.event_handling import EventHandling
from lambent.invoke.fairness import share_out
from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventLine
from lambent.model.metric import Metrics
from lambent.store.ports.event_invocations import EventInvocationStore

log = logging.getLogger(__name__)

_CLAIM_SECONDS = 1800.0
"""Longer than the longest invocation (900 s) with its cold start."""
_RUNNING_MOST = 256
_HELD_SECONDS = 1.0
"""For so long a function that had no room is left alone, if it still has none."""
_RETRY_SECONDS = 1.0


class EventQueue:
    """Where events are put. Wakes the worker of this server."""

    def __init__(self, store: EventInvocationStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self.wake = asyncio.Event()

    async def put(self, event: EventInvocation) -> None:
        """Raises StoreFullError."""
        await self._store.enqueue(event)
        self.wake.set()
        self._metrics.put(
            event.account_id,
            event.region,
            "AWS/Lambda",
            "AsyncEventsReceived",
            1,
            unit="Count",
            dimensions={"FunctionName": event.function_name},
        )


class EventWorker:
    """`owner` names this server in its claims, the same after a restart. `room` says how many more invocations of a
    function could begin now. `look_seconds`: how often it looks for claims that have run out, when nothing wakes it."""

    def __init__(
        self,
        store: EventInvocationStore,
        queue: EventQueue,
        handling: EventHandling,
        room: Callable[[FunctionId], int],
        clock: Clock,
        owner: str,
        look_seconds: float = 5.0,
    ) -> None:
        self._store = store
        self._wake = queue.wake
        self._handling = handling
        self._room = room
        self._clock = clock
        self._owner = owner
        self._look_seconds = look_seconds
        self._running: Counter[EventLine] = Counter()
        self._in_progress: set[int] = set()
        """Their ids."""
        self._preparing: Counter[FunctionId] = Counter()
        """Those in progress whose run has not begun: the function's room does not show them yet."""
        self._held: dict[FunctionId, float] = {}
        self._released_at: float | None = None
        self._closing = False
        self._jumps = Jumps(clock)
        self._set_back = False
        self._tasks = Tasks("event invocations")

    async def run(self) -> None:
        """Claims and handles until `close`. A store that fails is asked again."""
        while not self._closing:
            self._wake.clear()
            try:
                await self._release()
                waiting: Mapping[EventLine, float] = {}
                if self._free > 0:
                    waiting = await self._store.waiting()
                if await self._claim_and_start(waiting) == 0:
                    await self._sleep_until_due(waiting)
            except Exception:
                log.exception(
                    "the queue of event invocations cannot be read; next try in %.0f s", _RETRY_SECONDS
                )
                await asyncio.sleep(_RETRY_SECONDS)

    def wake(self) -> None:
        """Another node may have put something into the queue."""
        self._wake.set()

    def node_lost(self) -> None:
        """What it had claimed is taken over at once."""
        if self._released_at is not None:
            self._released_at -= self._look_seconds
        self._wake.set()

    async def close(self) -> None:
        """Waits for nothing: what is cancelled here is still claimed, and runs at the next start."""
        self._closing = True
        self._wake.set()
        await self._tasks.close()

    @property
    def _free(self) -> int:
        return _RUNNING_MOST - self._running.total()

    async def _release(self) -> None:
        """At the start the claims of this server's last life; later, now and then, those of nodes that are gone, and
        its own that have run out: whose clock is another's cannot judge them."""
        now = self._clock.monotonic()
        if self._released_at is not None and now - self._released_at < self._look_seconds:
            return
        await self._hasten()
        if self._released_at is None:
            if recovered := await self._store.release(self._owner):
                log.info(
                    "%d event invocations were in progress when the server ended; they run again", recovered
                )
        elif forgotten := await self._store.release_forgotten(self._owner, self._in_progress):
            log.warning("%d event invocations were claimed without a word of it; they run again", forgotten)
        if taken_over := await self._store.release_lost():
            log.warning("%d event invocations were with nodes that are gone; they run again", taken_over)
        if expired := await self._store.release_expired(self._owner, self._jumps.steady()):
            log.warning("the claims of %d event invocations had run out; they run again", expired)
        self._released_at = now

    async def _hasten(self) -> None:
        """No event waits for longer than it was told to: the clock may have been set back, or be another's who accepted
        it, and is gone. Where it is seen to be set back, nobody knows what waits by right: nothing does."""
        self._set_back = self._jumps.look() < 0 or self._set_back
        now = self._clock.now()
        latest = now if self._set_back else now + self._handling.delay_most_seconds
        if hastened := await self._store.hasten(now=now, latest=latest):
            log.warning("%d event invocations waited for a time of another clock", hastened)
        self._set_back = False

    async def _claim_and_start(self, waiting: Mapping[EventLine, float]) -> int:
        now = self._clock.now()
        due = [line for line, due_at in waiting.items() if due_at <= now]
        wanted = share_out(due, self._running, lambda function: self._room_at(function, now), self._free)
        if not wanted:
            return 0
        events = await self._store.claim(
            wanted, now=now, owner=self._owner, until=self._jumps.steady() + _CLAIM_SECONDS
        )
        if self._closing:
            return 0
        for event in events:
            self._in_progress.add(event.id)
            self._running[event.line] += 1
            self._preparing[event.function] += 1
            self._tasks.start(self._handle(event), event.request_id)
        return len(events)

    def _room_at(self, function: FunctionId, now: float) -> int:
        """Who has no room is tried now and then, because an event must not wait for it longer than its age allows."""
        room = self._room(function) - self._preparing[function]
        if room > 0:
            return room
        busy = any(line.function == function for line in self._running)
        return 1 if not busy and self._held.get(function, 0.0) <= now else 0

    async def _sleep_until_due(self, waiting: Mapping[EventLine, float]) -> None:
        now = self._clock.now()
        seconds = self._look_seconds
        if self._free > 0:
            times = [max(due_at, self._held.get(line.function, 0.0)) for line, due_at in waiting.items()]
            seconds = max(0.0, min([seconds, *(at - now for at in times if at > now)]))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _handle(self, event: EventInvocation) -> None:
        function, line, preparing = event.function, event.line, True

        def begun() -> None:
            nonlocal preparing
            if preparing:
                preparing = False
                self._preparing[function] -= 1

        try:
            if await self._handling.handle(event, begun):
                self._held.pop(function, None)
            else:
                self._held[function] = self._clock.now() + _HELD_SECONDS
        except Exception:
            log.exception("event %s could not be handled; it is tried again", event.request_id)
            await self._handling.put_back(event)
        finally:
            begun()
            self._in_progress.discard(event.id)
            self._running[line] -= 1
            if self._running[line] <= 0:
                del self._running[line]
            self._wake.set()
