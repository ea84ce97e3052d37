"""One invocation, from a function's name to its result. Start here.

    resolve the qualifier ─► take a concurrency lease ─► environment ⇄ runtime ─► result

A synchronous invocation touches no disk on this way. An asynchronous one is on disk when `enqueue` returns, and comes
back here through `event_worker.py`.
"""

from typing import Protocol

from lambent.base.clock import Clock
from lambent.base.ids import new_trace_header
from lambent.base.tasks import Tasks
from lambent.environments.pools import Pools
from lambent.invoke.concurrency import Capacity, Concurrency
from lambent.invoke.directory import Directory
from lambent.invoke.durable_executions import DurableExecutions
from lambent.invoke.event_worker import EventQueue
from lambent.invoke.lineage import INVOCATIONS_MOST, begun, counted
from lambent.invoke.meters import Meters
from lambent.invoke.response_stream import ResponseStream, StreamLimits
from lambent.model.durable_execution.invocable import require_invocable
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.invocation import EventInvocation, Invocation, InvocationResult
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    RecursiveInvocationException,
    TooManyRequestsException,
)


class Router(Protocol):
    async def run(self, version: FunctionVersion, invocation: Invocation) -> InvocationResult:
        """Here or elsewhere. Raises as `Invoker.invoke`."""
        ...


class Quotas(Protocol):
    async def ask(self, capacity: Capacity) -> None:
        """Returns when there is room, or none can be had."""
        ...


class Invoker:
    def __init__(
        self,
        directory: Directory,
        concurrency: Concurrency,
        pools: Pools,
        events: EventQueue,
        durable: DurableExecutions,
        clock: Clock,
        meters: Meters,
        stream_limits: StreamLimits | None = None,
    ) -> None:
        self._directory = directory
        self._concurrency = concurrency
        self._pools = pools
        self._events = events
        self._durable = durable
        self._clock = clock
        self._meters = meters
        self._stream_limits = stream_limits or StreamLimits()
        self._streams = Tasks("streamed invocations")
        self.router: Router | None = None
        """Where there are other nodes that may run what is asked of this one."""
        self.quotas: Quotas | None = None
        """Where limits are shared with other nodes."""

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        """Runs the function and returns its result, or its error as a value.

        Raises ResourceNotFoundException, ResourceConflictException (not ready yet), TooManyRequestsException,
        RecursiveInvocationException, and ServiceException where this host cannot give it an environment."""
        function = invocation.function
        target = self._directory.known(function, invocation.qualifier)
        if target is None:
            target = await self._directory.resolve(function, invocation.qualifier)
        share = self._concurrency.share(function)
        if invocation.trace_id is None:
            sampled = target.version.tracing_mode == "Active"
            invocation.trace_id = begun(new_trace_header(self._clock.now(), sampled=sampled), share.mark)
        else:
            invocation.trace_id, count = counted(invocation.trace_id, share.mark)
            if count > INVOCATIONS_MOST:
                await self._refuse_loop(function)
        version = target.choose()
        if version.tenant_isolation is (invocation.tenant_id is None):
            raise _tenant_mismatch(version)
        if version.durable is not None and invocation.durable_execution_arn is None:
            return await self._durable.run(version, invocation)
        try:
            if self.router is not None:
                return await self.router.run(version, invocation)
            if not invocation.asynchronous:
                share.capacity.count_request(self._clock.monotonic())
            result = await self._pools.invoke(version, invocation, share.lane(version.version).acquire())
        except TooManyRequestsException:
            self._meters.of(function, invocation.qualifier).throttles += 1
            raise
        self._meters.ended(invocation, result)
        return result

    async def run_here(self, version: FunctionVersion, invocation: Invocation) -> InvocationResult:
        """One that a router has sent here: what is left to do when its version is chosen. A refusal is counted by the
        node whose caller gets it."""
        share = self._concurrency.share(invocation.function)
        lane = share.lane(version.version)
        if self.quotas is not None and not lane.has_room:
            await self.quotas.ask(share.capacity)
        if not invocation.asynchronous:
            share.capacity.count_request(self._clock.monotonic())
        result = await self._pools.invoke(version, invocation, lane.acquire())
        self._meters.ended(invocation, result)
        return result

    async def stream(self, invocation: Invocation) -> ResponseStream:
        """Runs the function, and returns when its response begins, or has ended unstreamed. Raises as `invoke`."""
        stream = ResponseStream(self._stream_limits, self._clock)
        invocation.sink = stream
        self._streams.start(stream.run(self.invoke(invocation)), invocation.request_id)
        try:
            await stream.begun()
        except BaseException:
            stream.leave()
            raise
        return stream

    async def close(self) -> None:
        await self._streams.close()

    async def _refuse_loop(self, function: FunctionId) -> None:
        """Raises RecursiveInvocationException, unless the function may be in a loop."""
        found = await self._directory.get(function)
        if found is not None and found.recursive_loop == "Terminate":
            self._meters.loop_ended(function)
            raise RecursiveInvocationException(
                "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
                "resources and stopped your function's invocation."
            )

    async def check(
        self, function: FunctionId, qualifier: str | None, tenant_id: str | None = None
    ) -> FunctionVersion:
        """Whether an invocation would be accepted (InvocationType=DryRun), and of what. Raises as `invoke` does before
        it runs."""
        version = (await self._directory.resolve(function, qualifier)).choose()
        if version.tenant_isolation is (tenant_id is None):
            raise _tenant_mismatch(version)
        require_invocable(version, qualifier, synchronous=False)
        return version

    async def enqueue(self, invocation: Invocation) -> str | None:
        """Accepts an asynchronous invocation: when this returns, it survives anything that happens to this process.

        Returns the ARN of the durable execution that it has started, if any."""
        function = invocation.function
        version = await self.check(function, invocation.qualifier, invocation.tenant_id)
        if version.durable is not None:
            return (await self._durable.start(version, invocation, synchronous=False)).arn
        now = self._clock.now()
        await self._events.put(
            EventInvocation(
                request_id=invocation.request_id,
                account_id=function.account_id,
                region=function.region,
                function_name=function.name,
                qualifier=invocation.qualifier,
                invoked_arn=invocation.invoked_arn,
                payload=invocation.payload,
                client_context=invocation.client_context,
                trace_id=invocation.trace_id
                or new_trace_header(now, sampled=version.tracing_mode == "Active"),
                tenant_id=invocation.tenant_id,
                accepted_at=now,
                due_at=now,
            )
        )
        return None


def _tenant_mismatch(version: FunctionVersion) -> InvalidParameterValueException:
    if version.tenant_isolation:
        return InvalidParameterValueException(
            "The invoked function is enabled with tenancy configuration. "
            "Add a valid tenant ID in your request and try again."
        )
    return InvalidParameterValueException(
        "The invoked function is not enabled with tenancy configuration. "
        "Remove the tenant ID from your request and try again."
    )
