"""What is told of an environment's Init and of its invocations: to the function's log, and to who has subscribed."""

from collections.abc import Callable

from lambent.base.clock import Clock
from lambent.environments import platform_events
from lambent.environments.faults import Fault
from lambent.environments.log_lines import LogLines
from lambent.environments.occupancy import Occupancy
from lambent.environments.platform_events import Init, PlatformEvent, Report, Status
from lambent.environments.recorder import Recorder
from lambent.environments.telemetry import Telemetry
from lambent.model.function import FunctionVersion
from lambent.model.invocation import Invocation


class Reports:
    def __init__(
        self,
        version: FunctionVersion,
        lines: LogLines,
        recorder: Recorder,
        clock: Clock,
        telemetry_of_init: Callable[[], Telemetry | None],
    ) -> None:
        """`telemetry_of_init` is what somebody has subscribed to in the Init that is going on."""
        self._version = version
        self._lines = lines
        self._recorder = recorder
        self._now = clock.now
        self._monotonic = clock.monotonic
        self._telemetry_of_init = telemetry_of_init
        self._telemetry: Telemetry | None = None
        self._detailed = lines.detailed
        """Whether somebody wants to know of successful invocations, too, when their runtime is done."""
        self._init_duration_ms: float | None = None
        self._restore_duration_ms: float | None = None

    def note(self, event: PlatformEvent) -> None:
        """For what happens rarely."""
        self._recorder.emit(self._lines.line(event), int(event.at * 1000))
        if (telemetry := self._telemetry_of_init()) is not None:
            telemetry.take(event)

    def subscribed(self, telemetry: Telemetry | None) -> None:
        """Init is over: nobody subscribes any more."""
        self._telemetry = telemetry
        self._detailed = self._lines.detailed or telemetry is not None

    def init_over(
        self, init: Init, occupancy: Occupancy, started: float, status: Status, error_type: str | None
    ) -> None:
        """How long it took is in the report of the next invocation, unless it was part of one."""
        now, duration_ms = self._now(), (self._monotonic() - started) * 1000
        if status != "success" and not occupancy.runtime_done:
            self.note(platform_events.init_runtime_done(init, now, status, error_type))
        for one in occupancy.extension_states():
            self.note(platform_events.extension(one.name, one.state, one.events, now, one.error_type))
        self.note(platform_events.init_report(init, now, duration_ms, status, error_type))
        if status == "success" and init.phase == "init":
            if init.restores:
                self._restore_duration_ms = duration_ms
            else:
                self._init_duration_ms = duration_ms

    def taken(self, invocation: Invocation, deadline: float) -> None:
        """The runtime has the invocation, which may take until `deadline`."""
        if self._telemetry is None:
            return
        begun = platform_events.start(
            invocation.request_id,
            invocation.invoked_arn,
            self._version.version,
            deadline - self._version.timeout,
            tenant_id=invocation.tenant_id,
            trace_id=invocation.trace_id if self._version.tracing_mode == "Active" else None,
        )
        self._telemetry.take(begun)

    def lost(self, invocation: Invocation, fault: Fault) -> None:
        request_id, now = invocation.request_id, self._now()
        self._recorder.emit(self._lines.fault(request_id, fault.message, fault.error_type, now))
        if self._telemetry is not None:
            self._telemetry.take(platform_events.fault(request_id, fault.message, now))

    def finish(
        self,
        invocation: Invocation,
        occupancy: Occupancy,
        started: float,
        status: Status,
        error_type: str | None,
        response: bytes | None = None,
    ) -> bytes:
        """The end of the log, where the caller wants it."""
        duration_ms = (self._monotonic() - started) * 1000
        if status == "timeout":
            duration_ms = self._version.timeout * 1000.0
        invocation.duration_ms = duration_ms
        occupancy.flush_output()
        recorder, request_id, now = self._recorder, invocation.request_id, self._now()
        init_duration_ms, self._init_duration_ms = self._init_duration_ms, None
        restore_duration_ms, self._restore_duration_ms = self._restore_duration_ms, None
        report = Report(
            request_id=request_id,
            duration_ms=duration_ms,
            memory_size_mb=self._version.memory_size,
            max_memory_used_mb=occupancy.max_memory_mb(),
            init_duration_ms=init_duration_ms,
            restore_duration_ms=restore_duration_ms,
            status=status,
            error_type=error_type,
            tenant_id=invocation.tenant_id,
            trace_id=invocation.trace_id if self._version.tracing_mode == "Active" else None,
        )
        if self._detailed or status != "success":
            self.note(platform_events.runtime_done(report, now, None if response is None else len(response)))
        at_ms = int(now * 1000)
        recorder.emit(self._lines.end(request_id), at_ms)
        recorder.emit(self._lines.report(report, now), at_ms)
        if self._telemetry is not None:
            self._telemetry.take(platform_events.end(request_id, now))
            self._telemetry.take(platform_events.report(report, now))
        return recorder.end_tail()
