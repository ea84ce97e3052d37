"""One claimed event, from its claim to what becomes of it.

    run ─► put back (a retry), or concluded ─► told to its destinations ─► forgotten

A crash between two of these steps leaves the event claimed and in the state that was stored last: it is run again, or
told of again.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lambent.base.clock import Clock, Jumps
from lambent.invoke.deliveries import Deliveries
from lambent.invoke.directory import Directory
from lambent.invoke.event_invoke_configs import KnownEventInvokeConfigs
from lambent.invoke.outcomes import error_message
from lambent.invoke.retries import (
    Condition,
    Retry,
    RetryRules,
    RunOutcome,
    after_failed_delivery,
    after_run,
    delay_most_seconds,
    too_old,
)
from lambent.model.error import ServiceException
from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.invocation import EventInvocation, EventOutcome, Invocation, InvocationResult
from lambent.model.lambda_errors import (
    RecursiveInvocationException,
    ResourceNotFoundException,
    TooManyRequestsException,
)
from lambent.model.metric import Metrics
from lambent.store.ports.errors import StoreError
from lambent.store.ports.event_invocations import EventInvocationStore

log = logging.getLogger(__name__)

_STORE_AGAIN_SECONDS = 1.0
_CLOSED = "Function not invoked. Function isconfigured with zero reserved concurrent executions"
"""So AWS says it."""

Run = Callable[[Invocation], Awaitable[InvocationResult]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    """What one run came to. `trace_id` is the header that went with it."""

    outcome: RunOutcome
    status_code: int | None = None
    error_message: str = ""
    result: InvocationResult | None = None
    trace_id: str | None = None


class EventHandling:
    """`closed` says whether a function has a reserved concurrency of 0, `owner` names this server in its claims."""

    def __init__(
        self,
        *,
        store: EventInvocationStore,
        configs: KnownEventInvokeConfigs,
        directory: Directory,
        run: Run,
        closed: Callable[[FunctionId], bool],
        deliveries: Deliveries,
        metrics: Metrics,
        clock: Clock,
        rules: RetryRules,
        owner: str,
    ) -> None:
        self._store = store
        self._configs = configs
        self._directory = directory
        self._invoke = run
        self._closed = closed
        self._deliveries = deliveries
        self._metrics = metrics
        self._clock = clock
        self._rules = rules
        self._owner = owner
        self._jumps = Jumps(clock)

    @property
    def delay_most_seconds(self) -> float:
        """No event is put back for longer."""
        return delay_most_seconds(self._rules)

    async def handle(self, event: EventInvocation, begun: Callable[[], None]) -> bool:
        """Returns whether there was room for it: False where it was throttled and put back. `begun` is called when its
        run begins, if it is run."""
        if event.outcome is None:
            self._jumps.look()
            event = dataclasses.replace(event, accepted_at=self._jumps.translated(event.accepted_at))
            config = await self._configs.of_invocation(event.function, event.qualifier)
            rules = self._rules.of(config)
            ran: _Ran | None = None
            condition: Condition = "EventAgeExceeded"
            if not too_old(event, self._clock.now(), rules):
                ran = await self._run(event, begun)
                decision = after_run(event, ran.outcome, self._clock.now(), rules)
                if isinstance(decision, Retry):
                    again = decision.invocation
                    await self._until_stored(lambda: self._store.retry(again, owner=self._owner))
                    return ran.outcome != "throttled"
                condition = decision.condition
            concluded = await self._conclude(event, ran, condition, config)
            if concluded is None:
                return True
            event = concluded
        await self._tell(event)
        return True

    async def put_back(self, event: EventInvocation) -> None:
        """After a failure of ours that nobody expected: it is tried again, later and later, and blocks nobody."""
        again = after_run(event, "throttled", self._clock.now(), self._rules)
        if isinstance(again, Retry):
            await self._until_stored(lambda: self._store.retry(again.invocation, owner=self._owner))

    async def _run(self, event: EventInvocation, begun: Callable[[], None]) -> _Ran:
        if self._closed(event.function):
            return _Ran(outcome="closed", error_message=_CLOSED)
        self._measure(event, "AsyncEventAge", (self._clock.now() - event.accepted_at) * 1000, "Milliseconds")
        invocation = Invocation(
            request_id=event.request_id,
            function=event.function,
            qualifier=event.qualifier,
            invoked_arn=event.invoked_arn,
            payload=event.payload,
            client_context=event.client_context,
            trace_id=event.trace_id,
            tenant_id=event.tenant_id,
            asynchronous=True,
        )
        begun()
        try:
            result = await self._invoke(invocation)
        except ResourceNotFoundException as error:
            return _Ran(outcome="gone", status_code=404, error_message=error.message)
        except RecursiveInvocationException as error:
            return _Ran(outcome="recursive", status_code=400, error_message=error.message)
        except ServiceException as error:
            log.info("event %s waits: %s", event.request_id, error)
            status_code = 429 if isinstance(error, TooManyRequestsException) else 500
            return _Ran(outcome="throttled", status_code=status_code, error_message=error.message)
        except Exception:
            log.exception("event %s could not be run; it waits", event.request_id)
            return _Ran(outcome="throttled", status_code=500)
        return _Ran(
            outcome="function_error" if result.function_error else "succeeded",
            status_code=200,
            error_message=error_message(result.payload) if result.function_error else "",
            result=result,
            trace_id=invocation.trace_id,
        )

    async def _conclude(
        self,
        event: EventInvocation,
        ran: _Ran | None,
        condition: Condition,
        config: EventInvokeConfig | None,
    ) -> EventInvocation | None:
        """The event with its outcome, stored; None where nobody is to be told of it, and it is forgotten."""
        if condition != "Success":
            log.warning("event %s for %s is given up: %s", event.request_id, event.invoked_arn, condition)
            self._measure(event, "AsyncEventsDropped", 1, "Count")
        concluded = await self._concluded(event, ran or _Ran(outcome="throttled"), condition, config)
        if concluded is None:
            await self._until_stored(lambda: self._store.complete(event, owner=self._owner))
            return None
        await self._until_stored(lambda: self._store.conclude(concluded, owner=self._owner))
        return concluded

    async def _concluded(
        self, event: EventInvocation, ran: _Ran, condition: Condition, config: EventInvokeConfig | None
    ) -> EventInvocation | None:
        succeeded = condition == "Success"
        destination = None
        if config is not None:
            destination = config.on_success if succeeded else config.on_failure
        if succeeded and destination is None:
            return None
        result = ran.result
        version = await self._version(event, result)
        if version is None:
            return None
        dead_letters = None if succeeded else version.dead_letter_target
        if destination is None and dead_letters is None:
            return None
        outcome = EventOutcome(
            condition=condition,
            at=self._clock.now(),
            invoke_count=event.attempt + (ran.outcome in ("succeeded", "function_error", "gone")),
            status_code=ran.status_code,
            executed_version=result.executed_version if result is not None else None,
            function_error=result.function_error if result is not None else None,
            error_message=ran.error_message,
            role=version.role,
            destination=destination,
            dead_letters=dead_letters,
        )
        response = result.payload if result is not None else b""
        trace_id = ran.trace_id or event.trace_id
        return dataclasses.replace(event, outcome=outcome, response=response, trace_id=trace_id)

    async def _version(
        self, event: EventInvocation, result: InvocationResult | None
    ) -> FunctionVersion | None:
        """The version that ran, or would have: its role tells of the outcome. None where it is gone."""
        try:
            qualifier = result.executed_version if result is not None else event.qualifier
            return (await self._directory.resolve(event.function, qualifier)).version
        except ServiceException:
            return None

    async def _tell(self, event: EventInvocation) -> None:
        event = await self._deliveries.tell(event)
        outcome = event.outcome
        assert outcome is not None
        if outcome.destination is not None or outcome.dead_letters is not None:
            again = after_failed_delivery(event, self._clock.now())
            if again is not None:
                await self._until_stored(lambda: self._store.retry(again, owner=self._owner))
                return
            log.error("the outcome of event %s could not be delivered; it is lost", event.request_id)
        await self._until_stored(lambda: self._store.complete(event, owner=self._owner))

    async def _until_stored(self, write: Callable[[], Awaitable[None]]) -> None:
        """An event that has run and is not settled would run again when its claim is over."""
        while True:
            try:
                return await write()
            except StoreError:
                log.exception("what became of an event could not be stored; trying again")
                await asyncio.sleep(_STORE_AGAIN_SECONDS)

    def _measure(self, event: EventInvocation, name: str, value: float, unit: str) -> None:
        dimensions = {"FunctionName": event.function_name}
        self._metrics.put(
            event.account_id, event.region, "AWS/Lambda", name, value, unit=unit, dimensions=dimensions
        )
