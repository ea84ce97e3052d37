"""The asynchronous half: events are claimed from the queue on disk, run, and forgotten only when they are over.

A crash in the middle leaves a claimed event in the queue; the next start of this server gives its claims back, and a
claim that nobody gives back runs out. So an accepted event runs at least once, whatever is killed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.invoke.retries import Done, Retry, RetryRules, RunOutcome, after_run
from lambent.model.error import ServiceException
from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, Invocation, InvocationResult
from lambent.model.lambda_errors import ResourceNotFoundException
from lambent.store.ports.errors import StoreError
from lambent.store.ports.event_invocations import EventInvocationStore

log = logging.getLogger(__name__)

_CLAIM_SECONDS = 1800.0
"""Longer than the longest invocation (900 s) with its cold start."""
_RUNNING_MOST = 256
_RETRY_SECONDS = 1.0


class EventQueue:
    """Where events are put. Wakes the worker of this server."""

    def __init__(self, store: EventInvocationStore) -> None:
        self._store = store
        self.wake = asyncio.Event()

    async def put(self, event: EventInvocation) -> None:
        """Raises StoreFullError."""
        await self._store.enqueue(event)
        self.wake.set()


Run = Callable[[Invocation], Awaitable[InvocationResult]]


class EventWorker:
    """`owner` names this server in its claims, the same after a restart. `look_seconds`: how often it looks for claims
    that have run out, when nothing wakes it."""

    def __init__(
        self,
        store: EventInvocationStore,
        queue: EventQueue,
        run: Run,
        clock: Clock,
        rules: RetryRules,
        owner: str,
        look_seconds: float = 5.0,
    ) -> None:
        self._store = store
        self._wake = queue.wake
        self._invoke = run
        self._clock = clock
        self._rules = rules
        self._owner = owner
        self._look_seconds = look_seconds
        self._running = 0
        self._recovered = False
        self._closing = False
        self._tasks = Tasks("event invocations")

    async def run(self) -> None:
        """Claims and runs until `close`. A store that fails is asked again."""
        while not self._closing:
            self._wake.clear()
            try:
                if not self._recovered:
                    await self._recover()
                if await self._claim_and_start() == 0:
                    await self._sleep_until_due()
            except Exception:
                log.exception(
                    "the queue of event invocations cannot be read; next try in %.0f s", _RETRY_SECONDS
                )
                await asyncio.sleep(_RETRY_SECONDS)

    async def close(self) -> None:
        """Waits for nothing: what is cancelled here is still claimed, and runs at the next start."""
        self._closing = True
        self._wake.set()
        await self._tasks.close()

    async def _recover(self) -> None:
        recovered = await self._store.release(self._owner)
        self._recovered = True
        if recovered:
            log.info("%d event invocations were in progress when the server ended; they run again", recovered)

    async def _claim_and_start(self) -> int:
        room = _RUNNING_MOST - self._running
        if room <= 0:
            return 0
        now = self._clock.now()
        events = await self._store.claim(now=now, owner=self._owner, until=now + _CLAIM_SECONDS, limit=room)
        if self._closing:
            return 0
        for event in events:
            self._running += 1
            self._tasks.start(self._run_one(event), event.request_id)
        return len(events)

    async def _sleep_until_due(self) -> None:
        seconds = self._look_seconds
        if self._running < _RUNNING_MOST and (due := await self._store.next_due()) is not None:
            seconds = max(0.0, min(seconds, due - self._clock.now()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _run_one(self, event: EventInvocation) -> None:
        try:
            outcome = await self._outcome(event)
            decision = after_run(event, outcome, self._clock.now(), self._rules)
            if isinstance(decision, Done) and decision.reason != "succeeded":
                log.warning(
                    "event %s for %s is given up: %s", event.request_id, event.invoked_arn, decision.reason
                )
            await self._settle(event, decision)
        finally:
            self._running -= 1
            self._wake.set()

    async def _settle(self, event: EventInvocation, decision: Done | Retry) -> None:
        """Until the store takes it: an event that has run and is not settled would run again when its claim is over."""
        while True:
            try:
                if isinstance(decision, Retry):
                    await self._store.retry(decision.invocation, owner=self._owner)
                else:
                    await self._store.complete(event.request_id, owner=self._owner)
                return
            except StoreError:
                log.exception("what became of event %s could not be stored; trying again", event.request_id)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _outcome(self, event: EventInvocation) -> RunOutcome:
        try:
            result = await self._invoke(
                Invocation(
                    request_id=event.request_id,
                    function=FunctionId(event.account_id, event.region, event.function_name),
                    qualifier=event.qualifier,
                    invoked_arn=event.invoked_arn,
                    payload=event.payload,
                    client_context=event.client_context,
                    trace_id=event.trace_id,
                    tenant_id=event.tenant_id,
                    asynchronous=True,
                )
            )
        except ResourceNotFoundException:
            return "gone"
        except ServiceException as error:
            log.info("event %s waits: %s", event.request_id, error)
            return "throttled"
        except Exception:
            log.exception("event %s could not be run; it waits", event.request_id)
            return "throttled"
        return "function_error" if result.function_error else "succeeded"
