"""What the platform itself writes into a function's log, in both log formats.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import orjson

from lambent.environments import platform_events
from lambent.environments.platform_events import DEBUG, INFO, WARN, PlatformEvent, Report, iso_milliseconds


class LogLines(Protocol):
    """One format. Each method gives the text of one log event; "" where the format has none."""

    detailed: bool
    """Whether successful invocations have more lines than START, END and REPORT."""

    def line(self, event: PlatformEvent) -> str:
        """Of what happens rarely; invocations have methods of their own."""
        ...

    def start(
        self, request_id: str, invoked_arn: str, version: str, at: float, tenant_id: str | None = None
    ) -> str: ...
    def end(self, request_id: str) -> str: ...
    def fault(self, request_id: str, message: str, error_type: str, at: float) -> str: ...
    def report(self, report: Report, at: float) -> str: ...


class TextLines:
    detailed = False

    def line(self, event: PlatformEvent) -> str:
        words = _WORDS.get(event.type)
        return words(event.record) if words is not None else ""

    def start(
        self, request_id: str, invoked_arn: str, version: str, at: float, tenant_id: str | None = None
    ) -> str:
        return f"START RequestId: {request_id} Version: {version}\n"

    def end(self, request_id: str) -> str:
        return f"END RequestId: {request_id}\n"

    def fault(self, request_id: str, message: str, error_type: str, at: float) -> str:
        if error_type == "Sandbox.Timedout":
            return f"{iso_milliseconds(at)} {request_id} {message}\n\n"
        return f"RequestId: {request_id} Error: {message}\n{error_type}\n"

    def report(self, report: Report, at: float) -> str:
        line = (
            f"REPORT RequestId: {report.request_id}\tDuration: {report.duration_ms:.2f} ms\t"
            f"Billed Duration: {report.billed_duration_ms} ms\tMemory Size: {report.memory_size_mb} MB\t"
            f"Max Memory Used: {report.max_memory_used_mb} MB\t"
        )
        if report.init_duration_ms is not None:
            line += f"Init Duration: {report.init_duration_ms:.2f} ms\t"
        if report.restore_duration_ms is not None:
            line += f"Restore Duration: {report.restore_duration_ms:.2f} ms\t"
            line += f"Billed Restore Duration: {math.ceil(report.restore_duration_ms)} ms\t"
        if report.status != "success":
            line += f"Status: {report.status}\t"
            if report.error_type:
                line += f"Error Type: {report.error_type}\t"
        return f"{line}\n" if report.trace_id is None else f"{line}\n{_xray_line(report.trace_id)}"


def _init_start(record: Mapping[str, Any]) -> str:
    if not record["runtimeVersion"]:
        return ""
    arn = record["runtimeVersionArn"]
    return f"INIT_START Runtime Version: {record['runtimeVersion']}\tRuntime Version ARN: {arn}\n"


def _init_report(record: Mapping[str, Any]) -> str:
    if record["status"] == "success":
        return ""  # its duration is in the REPORT of the first invocation
    error = f"\tError Type: {record['errorType']}" if "errorType" in record else ""
    duration_ms = record["metrics"]["durationMs"]
    phase, status = record["phase"], record["status"]
    return f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}{error}\n"


def _restore_report(record: Mapping[str, Any]) -> str:
    status = "" if record["status"] == "success" else f"\tStatus: {record['status']}"
    return f"RESTORE_REPORT Restore Duration: {record['metrics']['durationMs']:.2f} ms{status}\n"


def _extension(record: Mapping[str, Any]) -> str:
    error = f"\tError Type: {record['errorType']}" if "errorType" in record else ""
    events = ", ".join(record["events"])
    return f"EXTENSION\tName: {record['name']}\tState: {record['state']}\tEvents: [{events}]{error}\n"


def _subscription(record: Mapping[str, Any]) -> str:
    types = ", ".join(name.capitalize() for name in record["types"])
    return f"Name: {record['name']}\tState: {record['state']}\tTypes: [{types}]\n"


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "platform.initStart": _init_start,
    "platform.initReport": _init_report,
    "platform.restoreStart": lambda record: _init_start(record).replace("INIT_START", "RESTORE_START", 1),
    "platform.restoreReport": _restore_report,
    "platform.extension": _extension,
    "platform.telemetrySubscription": lambda record: f"TELEMETRY\t{_subscription(record)}",
    "platform.logsSubscription": lambda record: f"LOGS\t{_subscription(record)}",
}
"""Of the events that have a line of text, beside those of invocations."""

_LEVELS: Final = {"DEBUG": DEBUG, "INFO": INFO, "WARN": WARN}


class JsonLines:
    """`level` is the function's SystemLogLevel."""

    def __init__(self, level: str | None = None) -> None:
        self._least = _LEVELS.get(level or "INFO", INFO)
        self.detailed = self._least == DEBUG

    def line(self, event: PlatformEvent) -> str:
        return "" if event.level < self._least else orjson.dumps(event.as_object()).decode() + "\n"

    def start(
        self, request_id: str, invoked_arn: str, version: str, at: float, tenant_id: str | None = None
    ) -> str:
        if self._least > INFO:
            return ""
        return self.line(platform_events.start(request_id, invoked_arn, version, at, tenant_id=tenant_id))

    def end(self, request_id: str) -> str:
        return ""

    def fault(self, request_id: str, message: str, error_type: str, at: float) -> str:
        return ""  # the report carries status and errorType

    def report(self, report: Report, at: float) -> str:
        if self._least > INFO and report.status == "success":
            return ""
        return self.line(platform_events.report(report, at))


def log_lines(log_format: str, system_log_level: str | None) -> LogLines:
    return JsonLines(system_log_level) if log_format == "JSON" else TextLines()


def _xray_line(trace_id: str | None) -> str:
    trace = platform_events.sampled(trace_id)
    if trace is None:
        return ""
    root, parent = trace.get("Root", ""), trace.get("Parent", "")
    return f"XRAY TraceId: {root}\tSegmentId: {parent}\tSampled: true\t\n"


def runtime_version(identifier: str, version: str) -> str:
    """ "python:3.12.v7", "nodejs:20.v11.1": AWS's form of a runtime version, which ends in AWS's count of its releases;
    ours ends in what the interpreter's own version adds."""
    language = identifier.rstrip("0123456789.x").removesuffix(".al")
    number = identifier.removeprefix(language).removeprefix(".").removesuffix(".x")
    patch = version.removeprefix(f"{number}.")
    return f"{language}:{number}.v{patch}" if patch != number else f"{language}:{number}"
