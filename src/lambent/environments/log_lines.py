"""What the platform itself writes into a function's log, in both log formats.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html and, for JSON, the event
schema of the Telemetry API.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import msgspec
import orjson

Status = Literal["success", "error", "timeout"]


class Report(msgspec.Struct, kw_only=True):
    """The measurements of one invocation. Durations in milliseconds."""

    request_id: str
    duration_ms: float
    memory_size_mb: int
    max_memory_used_mb: int
    init_duration_ms: float | None = None
    status: Status = "success"
    error_type: str | None = None
    tenant_id: str | None = None
    trace_id: str | None = None
    """The tracing header, where the function traces; told of only if the request is sampled."""

    @property
    def billed_duration_ms(self) -> int:
        """Whole milliseconds, Init included (as AWS bills since August 2025)."""
        return math.ceil(self.duration_ms + (self.init_duration_ms or 0.0))


class LogLines(Protocol):
    """One format. Each method gives the text of one log event; "" where the format has none."""

    def init_start(self, runtime_version: str, runtime_version_arn: str | None, at: float) -> str: ...
    def init_report(self, duration_ms: float, status: Status, error_type: str | None, at: float) -> str: ...
    def extension(self, name: str, state: str, events: Sequence[str], at: float) -> str: ...
    def start(self, request_id: str, version: str, at: float, tenant_id: str | None = None) -> str: ...
    def end(self, request_id: str) -> str: ...
    def fault(self, request_id: str, message: str, error_type: str, at: float) -> str: ...
    def report(self, report: Report, at: float) -> str: ...


class TextLines:
    def init_start(self, runtime_version: str, runtime_version_arn: str | None, at: float) -> str:
        return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_version_arn or ''}\n"

    def init_report(self, duration_ms: float, status: Status, error_type: str | None, at: float) -> str:
        error = f"\tError Type: {error_type}" if error_type else ""
        return f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: init\tStatus: {status}{error}\n"

    def extension(self, name: str, state: str, events: Sequence[str], at: float) -> str:
        return f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]\n"

    def start(self, request_id: str, version: str, at: float, tenant_id: str | None = None) -> str:
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
        if report.status != "success":
            line += f"Status: {report.status}\t"
            if report.error_type:
                line += f"Error Type: {report.error_type}\t"
        return f"{line}\n{_xray_line(report.trace_id)}"


class JsonLines:
    """`level` is the function's SystemLogLevel: WARN keeps only what went wrong, DEBUG adds nothing yet."""

    def __init__(self, level: str | None = None) -> None:
        self._quiet = level == "WARN"

    def init_start(self, runtime_version: str, runtime_version_arn: str | None, at: float) -> str:
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": runtime_version,
            "runtimeVersionArn": runtime_version_arn or "",
        }
        return "" if self._quiet else _event("platform.initStart", record, at)

    def init_report(self, duration_ms: float, status: Status, error_type: str | None, at: float) -> str:
        record: dict[str, Any] = {
            "initializationType": "on-demand",
            "phase": "init",
            "status": status,
            "metrics": {"durationMs": round(duration_ms, 3)},
        }
        if error_type:
            record["errorType"] = error_type
        return _event("platform.initReport", record, at)

    def start(self, request_id: str, version: str, at: float, tenant_id: str | None = None) -> str:
        if self._quiet:
            return ""
        record = {"requestId": request_id, "version": version}
        if tenant_id is not None:
            record["tenantId"] = tenant_id
        return _event("platform.start", record, at)

    def extension(self, name: str, state: str, events: Sequence[str], at: float) -> str:
        record = {"name": name, "state": state, "events": list(events)}
        return "" if self._quiet else _event("platform.extension", record, at)

    def end(self, request_id: str) -> str:
        return ""

    def fault(self, request_id: str, message: str, error_type: str, at: float) -> str:
        return ""  # the report carries status and errorType

    def report(self, report: Report, at: float) -> str:
        if self._quiet and report.status == "success":
            return ""
        metrics: dict[str, Any] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_duration_ms,
            "memorySizeMB": report.memory_size_mb,
            "maxMemoryUsedMB": report.max_memory_used_mb,
        }
        if report.init_duration_ms is not None:
            metrics["initDurationMs"] = round(report.init_duration_ms, 3)
        record: dict[str, Any] = {"requestId": report.request_id, "metrics": metrics, "status": report.status}
        if report.error_type:
            record["errorType"] = report.error_type
        if report.tenant_id is not None:
            record["tenantId"] = report.tenant_id
        if (trace := _sampled(report.trace_id)) is not None:
            record["tracing"] = {
                "spanId": trace.get("Parent", ""),
                "type": "X-Amzn-Trace-Id",
                "value": report.trace_id,
            }
        return _event("platform.report", record, at)


def _sampled(trace_id: str | None) -> dict[str, str] | None:
    """The fields of a tracing header; None where the request is not sampled."""
    if trace_id is None or "Sampled=1" not in trace_id:
        return None
    return dict(field.split("=", 1) for field in trace_id.split(";") if "=" in field)


def _xray_line(trace_id: str | None) -> str:
    trace = _sampled(trace_id)
    if trace is None:
        return ""
    root, parent = trace.get("Root", ""), trace.get("Parent", "")
    return f"XRAY TraceId: {root}\tSegmentId: {parent}\tSampled: true\t\n"


def log_lines(log_format: str, system_log_level: str | None) -> LogLines:
    return JsonLines(system_log_level) if log_format == "JSON" else TextLines()


def iso_milliseconds(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _event(kind: str, record: dict[str, Any], at: float) -> str:
    return orjson.dumps({"time": iso_milliseconds(at), "type": kind, "record": record}).decode() + "\n"


def runtime_version(identifier: str, version: str) -> str:
    """ "python:3.12.v7", "nodejs:20.v11.1": AWS's form of a runtime version, which ends in AWS's count of its releases;
    ours ends in what the interpreter's own version adds."""
    language = identifier.rstrip("0123456789.x").removesuffix(".al")
    number = identifier.removeprefix(language).removeprefix(".").removesuffix(".x")
    patch = version.removeprefix(f"{number}.")
    return f"{language}:{number}.v{patch}" if patch != number else f"{language}:{number}"
