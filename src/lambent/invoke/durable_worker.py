"""What runs durable executions: it looks at each when it is due, and does what the state machine says.

Everything that must happen has its time on disk: a timer, an invocation to be made, a parent to be told, a history to
be forgotten. So a server that was killed goes on where it was, when it starts again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.base.tasks import Tasks
from lambent.invoke.durable_executions import DurableExecutions, execution_and_root
from lambent.model.durable_execution.closing import (
    ChainedOutcome,
    announced,
    chained_outcome,
    complete_chained_invoke,
    parent_told,
)
from lambent.model.durable_execution.describe import envelope
from lambent.model.durable_execution.invocation import InvocationFailure, Launch, finish_invocation
from lambent.model.durable_execution.timers import Due, advance, dispatch_again, invoke_again, recover
from lambent.model.durable_execution.transition import Change, State
from lambent.model.durable_execution.values import (
    FUNCTION_ERROR_MEMBERS,
    DurableExecution,
    ErrorObject,
    ExecutionKey,
    Operation,
    error_object,
)
from lambent.model.error import ServiceException
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import RecursiveInvocationException, ResourceNotFoundException
from lambent.store.ports.durable_executions import Decide, DurableExecutionStore
from lambent.store.ports.errors import NotFoundError, StoreError

log = logging.getLogger(__name__)

_AT_ONCE_MOST = 64
_RUNNING_MOST = 256
_RETRY_SECONDS = 1.0

T = TypeVar("T")
Run = Callable[[Invocation], Awaitable[InvocationResult]]
Announce = Callable[[DurableExecution, Sequence[str]], Awaitable[None]]
"""Tells of statuses that an execution has taken."""
ChainedInvoke = Callable[[DurableExecution, Operation], Awaitable[ChainedOutcome]]
"""Makes a chained invocation of a function that is not durable, with the rights of the execution's function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRules:
    """`backoff_seconds` is the first pause after an invocation that failed, doubled with each further one.
    `look_seconds` is how often it looks at the disk when nothing wakes it."""

    backoff_seconds: float = 5.0
    look_seconds: float = 5.0


class DurableWorker:
    def __init__(
        self,
        executions: DurableExecutions,
        store: DurableExecutionStore,
        run: Run,
        chained_invoke: ChainedInvoke,
        announce: Announce,
        clock: Clock,
        rules: WorkerRules,
    ) -> None:
        self._executions = executions
        self._store = store
        self._invoke = run
        self._chained_invoke = chained_invoke
        self._tell_everybody = announce
        self._clock = clock
        self._rules = rules
        self._recovered = False
        self._looked_at = clock.monotonic()
        self._under_way: set[tuple[ExecutionKey, str]] = set()
        """Invocations that this worker makes, or is about to."""
        self._running = asyncio.Semaphore(_RUNNING_MOST)
        self._closing = False
        self._tasks = Tasks("durable executions")

    async def lead(self) -> None:
        """As `run`, for who has just become the one that runs them: what others had under way counts as lost."""
        self._recovered = False
        await self.run()

    async def run(self) -> None:
        """Until `close`. A store that fails is asked again."""
        while not self._closing:
            self._executions.wake.clear()
            try:
                if not self._recovered:
                    await self._recover()
                await self._look_for_forgotten()
                if not await self._advance_due():
                    await self._sleep_until_due()
            except Exception:
                log.exception("durable executions cannot go on; next try in %.0f s", _RETRY_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)

    async def close(self) -> None:
        """What is cancelled here is on disk, and goes on at the next start."""
        self._closing = True
        self._executions.wake.set()
        await self._tasks.close()

    async def _recover(self) -> None:
        for key in await self._store.busy():
            await self._change(key, lambda state: recover(state, self._clock.now()))
        self._recovered = True

    async def _look_for_forgotten(self) -> None:
        """Now and then, invocations that nobody makes: of a change whose answer was lost, or that another made when he
        had lost the lease."""
        now = self._clock.monotonic()
        if now - self._looked_at < self._rules.look_seconds:
            return
        self._looked_at = now
        busy = await self._store.busy()
        ours = {key for key, _ in self._under_way}
        for key in busy:
            if key not in ours and await self._view(key, _is_invoked):
                log.warning("durable execution %s was invoked without a word of it; it runs again", key.id)
                await self._change(key, lambda state: invoke_again(state, self._clock.now()))

    async def _advance_due(self) -> bool:
        keys = await self._store.due(self._clock.now(), _AT_ONCE_MOST)
        outcomes = await asyncio.gather(*(self._advance(key) for key in keys), return_exceptions=True)
        failures = [(key, error) for key, error in zip(keys, outcomes, strict=True) if error is not None]
        for key, error in failures:
            log.error("durable execution %s cannot go on, it is tried again", key.id, exc_info=error)
        if failures:
            await asyncio.sleep(_RETRY_SECONDS)
        return bool(keys)

    async def _sleep_until_due(self) -> None:
        seconds = self._rules.look_seconds
        if (due := await self._store.next_due()) is not None:
            seconds = max(0.0, min(seconds, due - self._clock.now()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._executions.wake.wait(), seconds)

    async def _advance(self, key: ExecutionKey) -> None:
        invocation = key, new_uuid()
        self._under_way.add(invocation)
        launched = False
        try:
            due: Due | None = await self._change(
                key, partial(advance, now=self._clock.now(), invocation_id=invocation[1])
            )
            if due is not None and due.launch is not None and not self._closing:
                self._tasks.start(self._run(due.launch), due.launch.execution.arn)
                launched = True
        finally:
            if not launched:
                self._under_way.discard(invocation)
        if due is None or self._closing:
            return
        if due.report:
            await self._report(key)
        elif due.delete:
            await self._store.delete(key)
        if due.announce:
            self._tasks.start(self._announce(key, due.announce), f"announce {due.announce}")
        for operation in due.dispatch:
            self._tasks.start(self._dispatch(key, operation), f"chained invocation {operation.id}")

    async def _change(self, key: ExecutionKey, decide: Decide[T]) -> T | None:
        """None where the execution was deleted meanwhile."""
        try:
            return await self._executions.change(key, decide)
        except NotFoundError:
            return None

    async def _view(self, key: ExecutionKey, read: Callable[[State], T]) -> T | None:
        """None where the execution was deleted meanwhile."""
        try:
            return await self._executions.view(key, read)
        except NotFoundError:
            return None

    # Invocations

    async def _run(self, launch: Launch) -> None:
        """The state is read when there is room to run: many that wait for it hold nothing in memory."""
        async with self._running:
            event = await self._view(launch.execution.key, partial(envelope, launch=launch))
            if event is None:
                outcome: bytes | InvocationFailure = InvocationFailure(kind="throttled", error={})
            else:
                outcome = await self._outcome(launch, event)

        def decide(state: State) -> tuple[Change | None, None]:
            return finish_invocation(
                state,
                launch.invocation_id,
                outcome,
                self._clock.now(),
                backoff_seconds=self._rules.backoff_seconds,
            )

        try:
            await self._settle(launch.execution.key, decide)
        finally:
            self._under_way.discard((launch.execution.key, launch.invocation_id))

    async def _settle(self, key: ExecutionKey, decide: Decide[None]) -> None:
        """What has happened outside cannot be undone: it is stored, however long that takes."""
        while True:
            try:
                await self._change(key, decide)
                return
            except StoreError:
                log.exception("what became of durable execution %s could not be stored; trying again", key.id)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _outcome(self, launch: Launch, event: bytes) -> bytes | InvocationFailure:
        execution = launch.execution
        try:
            result = await self._invoke(
                Invocation(
                    request_id=launch.invocation_id,
                    function=execution.function,
                    qualifier=execution.version,
                    invoked_arn=execution.invoked_arn,
                    payload=event,
                    trace_id=execution.trace_id,
                    tenant_id=execution.tenant_id,
                    asynchronous=True,
                    tail_log=execution.synchronous,
                    durable_execution_arn=execution.arn,
                )
            )
        except (ResourceNotFoundException, RecursiveInvocationException) as error:
            return InvocationFailure(kind="gone", error=error_object(error.message, error.code))
        except ServiceException as error:
            log.info("durable execution %s waits: %s", execution.arn, error)
            return InvocationFailure(kind="throttled", error=error_object(error.message, error.code))
        except Exception:
            log.exception("durable execution %s could not be run; it waits", execution.arn)
            return InvocationFailure(kind="throttled", error={})
        self._executions.ran(execution.key, result.log_tail)
        if result.function_error is not None:
            return InvocationFailure(kind="failed", error=function_error(result.payload))
        return result.payload

    # Chained invocations

    async def _dispatch(self, key: ExecutionKey, operation: Operation) -> None:
        found = await self._view(key, execution_and_root)
        if found is None:
            return
        outcome: ChainedOutcome | None
        try:
            outcome = await self._chained_invoke(found[0], operation)
        except ServiceException as error:
            outcome = ChainedOutcome(status="FAILED", error=error_object(error.message, error.code))
        except Exception:
            log.exception("chained invocation %s of %s could not be made; it waits", operation.id, key.id)
            outcome = None

        def decide(state: State) -> tuple[Change | None, None]:
            now = self._clock.now()
            if outcome is None:
                return dispatch_again(state, operation.id, now, self._rules.backoff_seconds)
            return complete_chained_invoke(state, operation.id, outcome, now)

        await self._settle(key, decide)

    async def _announce(self, key: ExecutionKey, statuses: Sequence[str]) -> None:
        """At least once: what fails here is tried again later."""
        found = await self._view(key, execution_and_root)
        if found is None:
            return
        try:
            await self._tell_everybody(found[0], statuses)
        except ServiceException as error:
            log.warning("%s of durable execution %s was not announced: %s", statuses, key.id, error)
            return
        await self._settle(key, lambda state: announced(state, statuses))

    async def _report(self, key: ExecutionKey) -> None:
        """The parent first: a crash in between repeats it, and it is told once all the same."""
        found = await self._view(key, execution_and_root)
        if found is None:
            return
        parent, outcome = found[0].parent, chained_outcome(*found)
        assert parent is not None
        await self._change(
            parent.key,
            lambda state: complete_chained_invoke(state, parent.operation_id, outcome, self._clock.now()),
        )
        await self._change(key, parent_told)


def _is_invoked(state: State) -> bool:
    return not state.execution.closed and state.execution.invocation is not None


def function_error(payload: bytes) -> ErrorObject:
    """A function's error, as an ErrorObject."""
    try:
        decoded: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        decoded = None
    if not isinstance(decoded, Mapping):
        return error_object(payload.decode(errors="replace"))
    return {ours: decoded[theirs] for ours, theirs in FUNCTION_ERROR_MEMBERS.items() if decoded.get(theirs)}
