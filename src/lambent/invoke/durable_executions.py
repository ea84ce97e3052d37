"""Durable executions as the rest sees them: started, changed, waited for. `durable_worker.py` runs them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.durable_execution.invocable import require_invocable
from lambent.model.durable_execution.starting import Start, input_digest, started
from lambent.model.durable_execution.transition import Change, State
from lambent.model.durable_execution.values import (
    FUNCTION_ERROR_MEMBERS,
    DurableExecution,
    ExecutionKey,
    Operation,
)
from lambent.model.function import FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import DurableExecutionAlreadyStartedException
from lambent.store.ports.durable_executions import Decide, DurableExecutionStore

T = TypeVar("T")


class DurableExecutions:
    """Everybody changes executions through here, so that their worker and those who wait for their end hear of it."""

    def __init__(self, store: DurableExecutionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: defaultdict[ExecutionKey, set[asyncio.Future[None]]] = defaultdict(set)
        self._log_tails: dict[ExecutionKey, bytes] = {}
        """Of the last run on this node, for those whose caller waits for it."""
        self.wake = asyncio.Event()

    # Invocations of durable functions

    async def run(self, version: FunctionVersion, invocation: Invocation) -> InvocationResult:
        """A synchronous invocation: to the end of the execution. A caller who leaves does not end it.

        Raises InvalidParameterValueException, DurableExecutionAlreadyStartedException."""
        require_invocable(version, invocation.qualifier, synchronous=True)
        execution = await self.start(version, invocation, synchronous=True)
        if invocation.tail_log:
            self._log_tails[execution.key] = b""
        try:
            closed, root = await self.closed(execution.key)
        finally:
            tail = self._log_tails.pop(execution.key, b"")
        result = _result(closed, root)
        result.log_tail = tail
        return result

    def ran(self, key: ExecutionKey, log_tail: bytes) -> None:
        """A run of an execution is over."""
        if key in self._log_tails:
            self._log_tails[key] = log_tail

    async def start(
        self, version: FunctionVersion, invocation: Invocation, *, synchronous: bool
    ) -> DurableExecution:
        """On disk when it returns. One that has the name, the version and the input already is the same execution.

        Raises DurableExecutionAlreadyStartedException."""
        assert version.durable is not None
        start = Start(
            id=new_uuid(),
            name=invocation.durable_execution_name or new_uuid(),
            function=version.function,
            version=version.version,
            invoked_arn=invocation.invoked_arn,
            config=version.durable,
            input=invocation.payload.decode(),
            synchronous=synchronous,
            trace_id=invocation.trace_id,
            tenant_id=invocation.tenant_id,
        )
        execution = await self._store.start(started(start, self._clock.now()))
        same = (execution.version, execution.input_digest) == (start.version, input_digest(start.input))
        if not same:
            raise DurableExecutionAlreadyStartedException(f"Execution already started: {execution.arn}")
        self.wake.set()
        return execution

    # For everybody

    async def change(self, key: ExecutionKey, decide: Decide[T]) -> T:
        """Raises NotFoundError, and what `decide` raises."""

        def with_change(state: State) -> tuple[Change | None, tuple[Change | None, T]]:
            change, answer = decide(state)
            return change, (change, answer)

        change, answer = await self._store.change(key, with_change)
        if change is not None:
            self.wake.set()
            if change.execution.closed:
                self._tell(key)
        return answer

    async def view(self, key: ExecutionKey, read: Callable[[State], T]) -> T:
        """Raises NotFoundError, and what `read` raises."""
        return await self._store.view(key, read)

    async def closed(self, key: ExecutionKey) -> tuple[DurableExecution, Operation]:
        """Waits for the end. Returns the execution and its EXECUTION operation."""
        while True:
            ended = asyncio.get_running_loop().create_future()
            self._waiting[key].add(ended)
            try:
                execution, root = await self._store.view(key, execution_and_root)
                if execution.closed:
                    return execution, root
                await ended
            finally:
                self._waiting[key].discard(ended)
                if not self._waiting[key]:
                    del self._waiting[key]

    def look_again(self) -> None:
        """Another node may have changed some."""
        self.wake.set()
        for key in list(self._waiting):
            self._tell(key)

    def _tell(self, key: ExecutionKey) -> None:
        for waiting in self._waiting.get(key, ()):
            if not waiting.done():
                waiting.set_result(None)


def execution_and_root(state: State) -> tuple[DurableExecution, Operation]:
    root = state.operation(state.execution.id)
    assert root is not None, "an execution without its EXECUTION operation"
    return state.execution, root


def _result(execution: DurableExecution, root: Operation) -> InvocationResult:
    """What a synchronous caller gets: the result, or the error in the form of a function's."""
    if root.status == "SUCCEEDED":
        return InvocationResult(
            payload=(root.result or "").encode(),
            executed_version=execution.version,
            durable_execution_arn=execution.arn,
        )
    error = root.error or {}
    shown = {theirs: error[ours] for ours, theirs in FUNCTION_ERROR_MEMBERS.items() if ours in error}
    return InvocationResult(
        payload=msgspec.json.encode(shown),
        executed_version=execution.version,
        function_error="Unhandled",
        durable_execution_arn=execution.arn,
    )
