"""One execution environment: a function version's code in a sandbox, from Init to its end.

`start` runs the Init phase; `invoke` runs one invocation at a time; whatever goes wrong inside becomes an
InvocationResult with a function error, and leaves an environment that is not `reusable`. An Init that failed or took
longer than its limit is run again inside the first invocation, within the function's time-out, as AWS does.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from lambent.environments.extensions import ExtensionError, Extensions
from lambent.environments.faults import Fault, fault_of
from lambent.environments.link import InvokeRequest, LinkError, NotTakenError, Reply
from lambent.environments.log_lines import log_lines
from lambent.environments.occupancy import Occupancy
from lambent.environments.platform_events import Init, Status
from lambent.environments.recorder import Recorder
from lambent.environments.reports import Reports
from lambent.environments.state import ALLOWED, State
from lambent.environments.surroundings import Surroundings, Trees
from lambent.environments.time_limit import InvocationTimeoutError, TimeLimit
from lambent.model.function import FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.runtimes.install import RuntimeInstall

_PROVISIONED_INIT_SECONDS = 900.0
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""


class Environment:
    """`provisioned`: it was made before anybody asked for it, and its Init may take longer."""

    def __init__(
        self,
        version: FunctionVersion,
        install: RuntimeInstall,
        trees: Trees,
        surroundings: Surroundings,
        *,
        provisioned: bool = False,
    ) -> None:
        self.version = version
        self.provisioned = provisioned
        self.state = State.STARTING
        self.idle_since = 0.0
        self.created_at = surroundings.clock.monotonic()
        self.reusable = True
        self._install = install
        self._trees = trees
        self._around = surroundings
        self._init_timeout_seconds = (
            _PROVISIONED_INIT_SECONDS if provisioned else surroundings.init_timeout_seconds
        )
        self._monotonic = surroundings.clock.monotonic
        self._now = surroundings.clock.now
        self._loop = asyncio.get_running_loop()
        self._limit = TimeLimit(version.timeout, self._monotonic)
        self._recorder = Recorder.of_version(version, surroundings.logs, surroundings.clock)
        self._lines = log_lines(version.logging.log_format, version.logging.system_log_level)
        self._reports = Reports(
            version, self._lines, self._recorder, surroundings.clock, lambda: self._occupancy.telemetry
        )
        self._init = self._kind_of_init()
        if self._init.restores:  # for which the snapshot may have to be taken again
            self._init_timeout_seconds = _PROVISIONED_INIT_SECONDS
        self._occupancy = self._new_occupancy(self._init)
        self._over: list[Occupancy] = []
        self._extensions: Extensions | None = None
        self._rest: asyncio.Task[InvocationResult] | None = None
        self._init_again = False
        self.given = False
        """Whether the function may have seen the last invocation."""

    # Init

    def _kind_of_init(self) -> Init:
        if self.version.snapshot_status == "On":
            return Init(initialization_type="snap-start", restores=True)
        return Init(initialization_type="provisioned-concurrency" if self.provisioned else "on-demand")

    async def start(self) -> None:
        """The Init phase. Raises SandboxError where no sandbox could be made, ServiceException for the role; a runtime
        or a handler that fails is remembered, and told by the first invocation."""
        started = self._monotonic()
        error_type: str | None = None
        status: Status = "success"
        try:
            reply = await asyncio.wait_for(self._occupancy.boot(), self._init_timeout_seconds)
            self._take_extensions()
            if reply.kind == "init_failed":
                status, error_type = "error", reply.error_type
        except TimeoutError:
            status = "timeout"
        except LinkError as error:
            fault = await self._fault_of(error)
            status, error_type = "error", fault.error_type
        self._reports.init_over(self._init, self._occupancy, started, status, error_type)
        if status != "success":
            self._init_again = True
            await self._occupancy.end()
        if self.state is State.STARTING:
            self._become(State.IDLE)

    # Invoke

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        """Runs one invocation to its end. If the caller is cancelled meanwhile, the invocation goes on: `wait_over`
        says when it is over. Raises SandboxError, ServiceException as `start` does, where Init must be run again."""
        if self.state is State.FROZEN:
            self._thaw()
        self._become(State.BUSY)
        recorder, now = self._recorder, self._now()
        if invocation.tail_log:
            recorder.begin_tail()
        begun = self._lines.start(
            invocation.request_id, invocation.invoked_arn, self.version.version, now, invocation.tenant_id
        )
        recorder.emit(begun, int(now * 1000))
        run = _Run(invocation, self._monotonic(), now + self.version.timeout)
        self.given = False
        if self._init_again:
            return await self._to_the_end(self._invoke_with_init(run))
        waiting = self._send(run)
        try:
            reply = await waiting
        except asyncio.CancelledError:
            self._rest = self._loop.create_task(self._wait_on(run, waiting))
            raise
        except NotTakenError:
            return await self._to_the_end(self._invoke_with_new_runtime(run))
        except LinkError as error:
            return await self._to_the_end(self._lost(run, error))
        return self._answered(run, reply)

    async def wait_over(self) -> None:
        """Returns when the invocation whose caller was cancelled is over. Raises what its caller would have met."""
        rest, self._rest = self._rest, None
        if rest is not None:
            await rest

    async def _to_the_end(self, rest: Coroutine[Any, Any, InvocationResult]) -> InvocationResult:
        """What takes long is not broken off half-way by a caller who leaves."""
        task = self._loop.create_task(rest)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._rest = task
            raise

    def _take_extensions(self) -> None:
        """Those that this Init has brought, if any."""
        self._extensions = self._occupancy.extensions
        self._reports.subscribed(self._occupancy.telemetry)

    @property
    def settling(self) -> bool:
        """Whether extensions are still busy with an invocation that has been answered."""
        return self._extensions is not None and not self._extensions.settled

    async def settle(self) -> None:
        """Returns when they no longer are, or the function's time is up: then this environment is of no more use."""
        assert self._extensions is not None
        try:
            async with asyncio.timeout(self.version.timeout):
                await self._extensions.settle()
        except (TimeoutError, ExtensionError):
            self.reusable = False

    def _send(self, run: "_Run") -> "asyncio.Future[Reply]":
        invocation = run.invocation
        if invocation.sink is not None:
            invocation.sink.executed_version = self.version.version
        request = InvokeRequest(
            request_id=invocation.request_id,
            deadline_ms=int(run.deadline * 1000),
            invoked_arn=invocation.invoked_arn,
            payload=invocation.payload,
            trace_id=invocation.trace_id,
            client_context=invocation.client_context,
            identity=invocation.identity,
            tenant_id=invocation.tenant_id,
            sink=invocation.sink,
        )
        self.given = True
        waiting = self._occupancy.link.invoke(request)
        if self._extensions is not None:
            self._reports.taken(invocation, run.deadline)
            self._extensions.invoke(request)
        self._limit.watch(run.started, waiting)
        return waiting

    async def _invoke_with_init(self, run: "_Run") -> InvocationResult:
        """Init again, inside the invocation, then the invocation; all within the function's time-out."""
        self._over.append(self._occupancy)
        init = replace(self._init, phase="invoke")
        self._occupancy = self._new_occupancy(init)
        started, initialized = self._monotonic(), False
        try:
            async with asyncio.timeout(self.version.timeout):
                reply = await self._occupancy.boot()
                self._take_extensions()
                if reply.kind == "init_failed":
                    self._reports.init_over(init, self._occupancy, started, "error", reply.error_type)
                else:
                    self._reports.init_over(init, self._occupancy, started, "success", None)
                    self._init_again, initialized = False, True
                    reply = await self._send(run)
        except TimeoutError:
            if not initialized:
                self._reports.init_over(init, self._occupancy, started, "timeout", None)
            return await self._lost(run, InvocationTimeoutError())
        except LinkError as error:
            if not initialized:
                self._reports.init_over(
                    init, self._occupancy, started, "error", (await self._fault_of(error)).error_type
                )
            return await self._lost(run, error)
        except Exception:
            # Ours, not the function's: the caller is told so, and the log that nothing was run.
            self._limit.waiting = None
            self.reusable = False
            await self._occupancy.end()
            self._reports.finish(run.invocation, self._occupancy, run.started, "error", None)
            self._become(State.IDLE)
            raise
        return self._answered(run, reply)

    async def _invoke_with_new_runtime(self, run: "_Run") -> InvocationResult:
        """The runtime ended between two invocations, which is nothing to this one's caller."""
        self.given = False
        self._limit.waiting = None
        await self._occupancy.end()
        return await self._invoke_with_init(run)

    async def _wait_on(self, run: "_Run", waiting: "asyncio.Future[Reply]") -> InvocationResult:
        """In the place of a caller who was cancelled while it waited, and `waiting` with it."""
        if waiting.cancelled():
            waiting = self._occupancy.link.await_again()
            self._limit.watch(run.started, waiting)
        try:
            return self._answered(run, await waiting)
        except NotTakenError:
            return await self._invoke_with_new_runtime(run)
        except LinkError as error:
            return await self._lost(run, error)

    def _answered(self, run: "_Run", reply: Reply) -> InvocationResult:
        self._limit.waiting = None
        if reply.kind == "result":
            tail = self._reports.finish(
                run.invocation, self._occupancy, run.started, "success", None, reply.payload
            )
            self._become(State.IDLE)
            return InvocationResult(
                payload=reply.payload, executed_version=self.version.version, log_tail=tail
            )
        if reply.ends or reply.kind == "init_failed":
            self.reusable = False
        tail = self._reports.finish(
            run.invocation, self._occupancy, run.started, "error", reply.error_type, reply.payload
        )
        self._become(State.IDLE)
        return InvocationResult(
            payload=reply.payload,
            executed_version=self.version.version,
            function_error="Unhandled",
            log_tail=tail,
        )

    async def _lost(self, run: "_Run", error: Exception) -> InvocationResult:
        """The runtime ended, hung up, broke the protocol or ran out of time: the environment ends with it."""
        self._limit.waiting = None
        self.reusable = False
        fault = await self._fault_of(error)
        await self._shut_down("TIMEOUT" if fault.status == "timeout" else "FAILURE")
        await self._occupancy.end()
        self._reports.lost(run.invocation, fault)
        error_type = None if fault.status == "timeout" else fault.reported_type or fault.error_type
        tail = self._reports.finish(run.invocation, self._occupancy, run.started, fault.status, error_type)
        self._become(State.IDLE)
        return InvocationResult(
            payload=fault.payload(run.invocation.request_id),
            executed_version=self.version.version,
            function_error="Unhandled",
            log_tail=tail,
        )

    async def _shut_down(self, reason: str) -> None:
        if self._extensions is not None:
            await self._occupancy.shut_down(reason, self._now())

    async def _fault_of(self, error: Exception) -> Fault:
        return await fault_of(error, self._occupancy, self._install, self._trees, self.version.timeout)

    # Idle

    def freeze(self) -> None:
        self._become(State.FROZEN)
        self._occupancy.freeze()

    def _thaw(self) -> None:
        self._become(State.IDLE)
        self._occupancy.thaw()

    @property
    def initialized(self) -> bool:
        """Whether its Init succeeded; otherwise it is run again in the first invocation."""
        return not self._init_again

    @property
    def ended(self) -> bool:
        """The process inside is gone (a runtime that exited while it was idle)."""
        return not self._init_again and not self._occupancy.alive

    async def stop(self) -> None:
        """Ends the environment and everything in it. Idempotent."""
        if self.state is not State.STOPPED:
            self.state = State.STOPPED
            self._limit.close()
            await self._shut_down("SPINDOWN" if self.reusable else "FAILURE")
            for occupancy in (self._occupancy, *self._over):
                await occupancy.ended()
            self._trees.release()  # they were mounted until now

    def _become(self, state: State) -> None:
        assert state in ALLOWED[self.state], (
            f"an environment that is {self.state.value} cannot become {state.value}"
        )
        self.state = state
        if state is State.IDLE:
            self.idle_since = self._monotonic()

    def _new_occupancy(self, init: Init) -> Occupancy:
        return Occupancy(
            self.version,
            self._install,
            self._trees,
            self._around,
            self._recorder,
            self._reports.note,
            init=init,
        )


class _Run:
    """One invocation on its way. `deadline` is epoch seconds, `started` monotonic ones."""

    __slots__ = ("deadline", "invocation", "started")

    def __init__(self, invocation: Invocation, started: float, deadline: float) -> None:
        self.invocation = invocation
        self.started = started
        self.deadline = deadline
