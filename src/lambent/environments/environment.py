"""One execution environment: a function version's code in a sandbox, from Init to its end.

    STARTING ──► IDLE ⇄ BUSY ──► STOPPED        IDLE ⇄ FROZEN
                   └──────────────►┘

`start` runs the Init phase; `invoke` runs one invocation at a time; whatever goes wrong inside becomes an
InvocationResult with a function error, and leaves an environment that is not `reusable`. An Init that failed or took
longer than its limit is run again inside the first invocation, within the function's time-out, as AWS does.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.environments import faults
from lambent.environments.blanks import Blank, Blanks
from lambent.environments.faults import Fault
from lambent.environments.link import InvokeRequest, LinkClosedError, NotTakenError, ProtocolError, Reply
from lambent.environments.log_delivery import LogDelivery
from lambent.environments.log_lines import Report, Status, log_lines
from lambent.environments.recorder import Recorder
from lambent.environments.variables import environment_variables
from lambent.model.credential import Credential
from lambent.model.function import FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import Bind, Exit, Process, SandboxError

log = logging.getLogger(__name__)

_CPU_PER_MB = 1 / 1769
"""AWS gives one vCPU at 1,769 MB, and in proportion below and above."""
_MEMORY_SAMPLE_SECONDS = 0.25
_EXIT_SECONDS = 1.0
_DESTROY_SECONDS = 5.0
_DEFAULT_TMP_MIB = 512


class State(Enum):
    STARTING = "starting"
    IDLE = "idle"
    FROZEN = "frozen"
    BUSY = "busy"
    STOPPED = "stopped"


_ALLOWED = {
    State.STARTING: {State.IDLE, State.STOPPED},
    State.IDLE: {State.BUSY, State.FROZEN, State.STOPPED},
    State.FROZEN: {State.IDLE, State.STOPPED},
    State.BUSY: {State.IDLE, State.STOPPED},
    State.STOPPED: set[State](),
}


class CredentialIssuer(Protocol):
    async def issue(self, role_arn: str, session_name: str) -> Credential:
        """Temporary credentials of a function's role. Raises a ServiceException where Lambda may not assume it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Unpacked code: the function's own, and its layers merged (None where it has none)."""

    task: Path
    layers: Path | None
    release: Callable[[], None] = lambda: None
    """Says that the environment which mounts them has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every environment of this server shares."""

    blanks: Blanks
    credentials: CredentialIssuer
    logs: LogDelivery
    clock: Clock
    init_timeout_seconds: float


class InvocationTimeoutError(Exception):
    """The function's time is up."""


class Environment:
    def __init__(
        self, version: FunctionVersion, install: RuntimeInstall, trees: Trees, surroundings: Surroundings
    ) -> None:
        self.version = version
        self.state = State.STARTING
        self.idle_since = 0.0
        self.created_at = surroundings.clock.monotonic()
        self.reusable = True
        self._install = install
        self._trees = trees
        self._around = surroundings
        self._monotonic = surroundings.clock.monotonic
        self._now = surroundings.clock.now
        self._loop = asyncio.get_running_loop()
        self._lines = log_lines(version.logging.log_format, version.logging.system_log_level)
        self._recorder = self._new_recorder()
        self._blank: Blank | None = None
        self._discarded: list[Blank] = []
        self._rest: asyncio.Task[InvocationResult] | None = None
        self._init_again = False
        self._initialized = False
        self._init_duration_ms: float | None = None
        self._memory_mb = 0
        self._memory_read_at = -math.inf

    # Init

    async def start(self) -> None:
        """The Init phase. Raises SandboxError where no sandbox could be made, ServiceException for the role; a runtime
        or a handler that fails is remembered, and told by the first invocation."""
        install = self._install
        at = self._now()
        version_line = self._lines.init_start(_runtime_version(install), self.version.runtime_version_arn, at)
        self._recorder.emit(version_line, int(at * 1000))
        started = self._monotonic()
        error_type: str | None = None
        status: Status = "success"
        try:
            reply = await asyncio.wait_for(self._boot(), self._around.init_timeout_seconds)
            if reply.kind == "init_failed":
                status, error_type = "error", reply.error_type
        except TimeoutError:
            status = "timeout"
        except (LinkClosedError, ProtocolError) as error:
            fault = await self._fault_of(error)
            status, error_type = "error", fault.error_type
        duration_ms = (self._monotonic() - started) * 1000
        if status == "success":
            self._init_duration_ms = duration_ms
        else:
            self._recorder.emit(self._lines.init_report(duration_ms, status, error_type, self._now()))
            self._init_again = True
            await self._discard_blank()
        if self.state is State.STARTING:
            self._become(State.IDLE)

    async def _boot(self) -> Reply:
        """Takes a blank, makes it this function's, and initializes its runtime."""
        version, install = self.version, self._install
        credential = await self._around.credentials.issue(version.role, version.function.name)
        variables = environment_variables(
            version, install.static_variables, credential, self._recorder.stream_name
        )
        own_variables = version.variables or {}
        started = install.kind == "channel" and install.exec_time_variables.isdisjoint(own_variables)
        blank = self._blank = await self._around.blanks.take(install, started=started)
        if self.state is State.STOPPED:
            await self._discard_blank()
            raise LinkClosedError("the environment was stopped")
        blank.output.emit = self._recorder.emit
        blank.output.after_read = self._around.logs.hold_back
        blank.sandbox.exited.add_done_callback(lambda _: blank.link.close())
        await blank.sandbox.attach(self._binds())
        if version.ephemeral_storage != _DEFAULT_TMP_MIB:
            await blank.sandbox.resize_tmp(version.ephemeral_storage)
        blank.sandbox.limit_memory(version.memory_size)
        await blank.sandbox.seal()
        if not blank.started:
            await self._start_process(blank, variables)
        # A process that was executed with its variables keeps what a wrapper script has made of them.
        reply = await blank.link.initialize(self._init_settings(variables if started else None))
        self._initialized = reply.kind == "initialized"
        # As on AWS, Init runs at full speed; only invocations have the share of CPU that their memory buys.
        blank.sandbox.limit_cpu(version.memory_size * _CPU_PER_MB)
        return reply

    async def _start_process(self, blank: Blank, variables: Mapping[str, str]) -> None:
        argv = self._install.command(variables)
        try:
            process = Process(argv=argv, variables=variables, directory="/var/task", files=blank.files())
            await blank.start(process)
        except SandboxError as error:
            raise ProtocolError(str(error)) from error
        await blank.link.ready()

    def _binds(self) -> list[Bind]:
        binds = [Bind(self._trees.task, "/var/task")]
        if self._trees.layers is not None:
            binds.append(Bind(self._trees.layers, "/opt"))
        return binds

    def _init_settings(self, variables: Mapping[str, str] | None) -> dict[str, Any]:
        version = self.version
        settings: dict[str, Any] = {} if variables is None else {"variables": dict(variables)}
        return settings | {
            "handler": version.handler or "",
            "function_name": version.function.name,
            "function_version": version.version,
            "memory_limit_mb": version.memory_size,
            "log_group": version.logging.log_group,
            "log_stream": self._recorder.stream_name,
            "log_format": version.logging.log_format,
            "log_level": version.logging.application_log_level,
        }

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
        recorder.emit(self._lines.start(invocation.request_id, self.version.version, now), int(now * 1000))
        run = _Run(invocation, self._monotonic(), now + self.version.timeout)
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
        except (LinkClosedError, ProtocolError, InvocationTimeoutError) as error:
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

    def _send(self, run: "_Run") -> "asyncio.Future[Reply]":
        assert self._blank is not None
        invocation = run.invocation
        waiting = self._blank.link.invoke(
            InvokeRequest(
                request_id=invocation.request_id,
                deadline_ms=int(run.deadline * 1000),
                invoked_arn=invocation.invoked_arn,
                payload=invocation.payload,
                trace_id=invocation.trace_id,
                client_context=invocation.client_context,
                identity=invocation.identity,
            )
        )
        left = self.version.timeout - (self._monotonic() - run.started)
        run.timer = self._loop.call_later(left, _time_out, waiting)
        return waiting

    async def _invoke_with_init(self, run: "_Run") -> InvocationResult:
        """Init again, inside the invocation, then the invocation; all within the function's time-out."""
        try:
            async with asyncio.timeout(self.version.timeout):
                reply = await self._boot()
                if reply.kind != "init_failed":
                    self._init_again = False
                    reply = await self._send(run)
        except TimeoutError:
            return await self._lost(run, InvocationTimeoutError())
        except (LinkClosedError, ProtocolError, InvocationTimeoutError) as error:
            return await self._lost(run, error)
        except Exception:
            # Ours, not the function's: the caller is told so, and the log that nothing was run.
            run.cancel_timer()
            self.reusable = False
            await self._discard_blank()
            self._finish(run, "error", None)
            self._become(State.IDLE)
            raise
        return self._answered(run, reply)

    async def _invoke_with_new_runtime(self, run: "_Run") -> InvocationResult:
        """The runtime ended between two invocations, which is nothing to this one's caller."""
        run.cancel_timer()
        await self._discard_blank()
        return await self._invoke_with_init(run)

    async def _wait_on(self, run: "_Run", waiting: "asyncio.Future[Reply]") -> InvocationResult:
        """In the place of a caller who was cancelled while it waited, and `waiting` with it."""
        if waiting.cancelled():
            assert self._blank is not None
            run.cancel_timer()
            waiting = self._blank.link.await_again()
            left = self.version.timeout - (self._monotonic() - run.started)
            run.timer = self._loop.call_later(left, _time_out, waiting)
        try:
            return self._answered(run, await waiting)
        except NotTakenError:
            return await self._invoke_with_new_runtime(run)
        except (LinkClosedError, ProtocolError, InvocationTimeoutError) as error:
            return await self._lost(run, error)

    def _answered(self, run: "_Run", reply: Reply) -> InvocationResult:
        run.cancel_timer()
        if reply.kind == "result":
            tail = self._finish(run, "success", None)
            self._become(State.IDLE)
            return InvocationResult(
                payload=reply.payload, executed_version=self.version.version, log_tail=tail
            )
        payload = reply.payload
        if reply.kind == "init_failed":
            payload = faults.with_request_id(payload, run.invocation.request_id)
        if reply.ends or reply.kind == "init_failed":
            self.reusable = False
        tail = self._finish(run, "error", reply.error_type)
        self._become(State.IDLE)
        return InvocationResult(
            payload=payload, executed_version=self.version.version, function_error="Unhandled", log_tail=tail
        )

    async def _lost(self, run: "_Run", error: Exception) -> InvocationResult:
        """The runtime ended, hung up, broke the protocol or ran out of time: the environment ends with it."""
        run.cancel_timer()
        self.reusable = False
        fault = await self._fault_of(error)
        await self._discard_blank()
        request_id, now = run.invocation.request_id, self._now()
        self._recorder.emit(self._lines.fault(request_id, fault.message, fault.error_type, now))
        tail = self._finish(run, fault.status, None if fault.status == "timeout" else fault.error_type)
        self._become(State.IDLE)
        return InvocationResult(
            payload=fault.payload(request_id),
            executed_version=self.version.version,
            function_error="Unhandled",
            log_tail=tail,
        )

    def _finish(self, run: "_Run", status: Status, error_type: str | None) -> bytes:
        duration_ms = (self._monotonic() - run.started) * 1000
        if status == "timeout":
            duration_ms = self.version.timeout * 1000.0
        if self._blank is not None:
            self._blank.output.flush()
        recorder, request_id, now = self._recorder, run.invocation.request_id, self._now()
        init_duration_ms, self._init_duration_ms = self._init_duration_ms, None
        report = Report(
            request_id=request_id,
            duration_ms=duration_ms,
            memory_size_mb=self.version.memory_size,
            max_memory_used_mb=self._max_memory_mb(),
            init_duration_ms=init_duration_ms,
            status=status,
            error_type=error_type,
        )
        at_ms = int(now * 1000)
        recorder.emit(self._lines.end(request_id), at_ms)
        recorder.emit(self._lines.report(report, now), at_ms)
        return recorder.end_tail()

    async def _fault_of(self, error: Exception) -> Fault:
        if isinstance(error, InvocationTimeoutError):
            return faults.timed_out(self.version.timeout)
        if isinstance(error, ProtocolError):
            return faults.broken_protocol(str(error))
        exit = await self._exit()
        if self._install.kind == "api" and not self._initialized:
            return faults.never_started(exit) or faults.exited(exit)
        return faults.exited(exit)

    async def _exit(self) -> Exit | None:
        if self._blank is None:
            return None
        exited = self._blank.sandbox.exited
        await asyncio.wait([exited], timeout=_EXIT_SECONDS)
        return exited.result() if exited.done() and not exited.cancelled() else None

    def _max_memory_mb(self) -> int:
        """Read from the kernel a few times a second at most: it only ever grows, and reading costs a system call."""
        now = self._monotonic()
        if self._blank is not None and now - self._memory_read_at > _MEMORY_SAMPLE_SECONDS:
            self._memory_read_at = now
            self._read_memory(self._blank)
        return self._memory_mb

    def _read_memory(self, blank: Blank) -> None:
        used = math.ceil(blank.sandbox.memory_peak_bytes() / (1 << 20))
        self._memory_mb = max(1, min(used, self.version.memory_size))

    # Idle

    def freeze(self) -> None:
        """Stops what runs inside. An environment that dies meanwhile is found dead by the next look at it."""
        self._become(State.FROZEN)
        if self._blank is not None:
            with contextlib.suppress(SandboxError):
                self._blank.sandbox.freeze()

    def _thaw(self) -> None:
        self._become(State.IDLE)
        if self._blank is not None:
            with contextlib.suppress(SandboxError):  # dead: the invocation will say so
                self._blank.sandbox.thaw()

    @property
    def ended(self) -> bool:
        """The process inside is gone (a runtime that exited while it was idle)."""
        return self._blank is not None and self._blank.sandbox.exited.done()

    async def stop(self) -> None:
        """Ends the environment and everything in it. Idempotent."""
        if self.state is not State.STOPPED:
            self.state = State.STOPPED
            await self._discard_blank()
            for blank in self._discarded:
                await blank.destroy()  # the trees are mounted until it is done
            self._trees.release()

    async def _discard_blank(self) -> None:
        """Ends what runs. Somebody waits for us: not for ever, where the kernel does not let go of a process."""
        if self._blank is None:
            return
        blank, self._blank = self._blank, None
        # The last reading, while there is something to read.
        self._read_memory(blank)
        self._discarded.append(blank)
        ending = self._loop.create_task(blank.destroy())
        done, _ = await asyncio.wait([ending], timeout=_DESTROY_SECONDS)
        if not done:
            log.error("sandbox %s of %s does not end", blank.sandbox.id, self.version.arn())
        elif (error := ending.exception()) is not None:
            log.error("sandbox %s of %s: %s", blank.sandbox.id, self.version.arn(), error, exc_info=error)

    def _become(self, state: State) -> None:
        assert state in _ALLOWED[self.state], (
            f"an environment that is {self.state.value} cannot become {state.value}"
        )
        self.state = state
        if state is State.IDLE:
            self.idle_since = self._monotonic()

    def _new_recorder(self) -> Recorder:
        version = self.version
        day = datetime.fromtimestamp(self._now(), UTC).strftime("%Y/%m/%d")
        own_group = version.logging.log_group == f"/aws/lambda/{version.function.name}"
        # In a group that functions may share, the stream's name says whose it is.
        prefix = "" if own_group else version.function.name
        name = f"{day}/{prefix}[{version.version}]{new_token(32)}"
        stream = self._around.logs.stream(
            version.function.account_id, version.function.region, version.logging.log_group, name
        )
        return Recorder(stream, self._around.clock)


class _Run:
    """One invocation on its way. `deadline` is epoch seconds, `started` monotonic ones."""

    __slots__ = ("deadline", "invocation", "started", "timer")

    def __init__(self, invocation: Invocation, started: float, deadline: float) -> None:
        self.invocation = invocation
        self.started = started
        self.deadline = deadline
        self.timer: asyncio.TimerHandle | None = None

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


def _time_out(waiting: "asyncio.Future[Reply]") -> None:
    if not waiting.done():
        waiting.set_exception(InvocationTimeoutError())


def _runtime_version(install: RuntimeInstall) -> str:
    """ "python:3.12.v7", "nodejs:20.v11.1": AWS's form of a runtime version, which ends in AWS's count of its releases;
    ours ends in what the interpreter's own version adds."""
    language = install.identifier.rstrip("0123456789.x").removesuffix(".al")
    number = install.identifier.removeprefix(language).removeprefix(".").removesuffix(".x")
    patch = install.version.removeprefix(f"{number}.")
    return f"{language}:{number}.v{patch}" if patch != number else f"{language}:{number}"
