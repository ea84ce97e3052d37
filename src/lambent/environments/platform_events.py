"""What the platform tells of an environment and its invocations: the events of the Telemetry API, which are the lines
of a log in JSON, too.

Source: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html, and for the levels
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

Status = Literal["success", "error", "timeout"]
Phase = Literal["init", "invoke"]
InitializationType = Literal["on-demand", "provisioned-concurrency", "snap-start"]

DEBUG, INFO, WARN = 10, 20, 30


class PlatformEvent(msgspec.Struct, kw_only=True):
    """`type` is AWS's, "platform.initStart" and so on; `at` epoch seconds; `level` says to which logs in JSON it
    goes."""

    type: str
    at: float
    record: Mapping[str, Any] | str
    level: int = INFO

    def as_object(self) -> dict[str, Any]:
        return {"time": iso_milliseconds(self.at), "type": self.type, "record": self.record}


class Report(msgspec.Struct, kw_only=True):
    """The measurements of one invocation. Durations in milliseconds."""

    request_id: str
    duration_ms: float
    memory_size_mb: int
    max_memory_used_mb: int
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    status: Status = "success"
    error_type: str | None = None
    tenant_id: str | None = None
    trace_id: str | None = None
    """The tracing header, where the function traces; told of only if the request is sampled."""

    @property
    def billed_duration_ms(self) -> int:
        """Whole milliseconds, Init included (as AWS bills since August 2025)."""
        return math.ceil(self.duration_ms + (self.init_duration_ms or 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Init:
    """Which Init an event is about."""

    initialization_type: InitializationType = "on-demand"
    phase: Phase = "init"
    restores: bool = False
    """It is no Init at all, but a snapshot of one that is restored."""

    @property
    def name(self) -> str:
        return "platform.restore" if self.restores else "platform.init"

    def record(self) -> dict[str, Any]:
        if self.restores:
            return {}
        return {"initializationType": self.initialization_type, "phase": self.phase}


def init_start(
    init: Init,
    at: float,
    *,
    runtime_version: str,
    runtime_version_arn: str | None,
    function: Mapping[str, Any],
) -> PlatformEvent:
    """`function` is what else AWS tells: functionName, functionVersion, instanceId, instanceMaxMemory (bytes)."""
    versions = {"runtimeVersion": runtime_version, "runtimeVersionArn": runtime_version_arn or ""}
    return PlatformEvent(type=f"{init.name}Start", at=at, record={**init.record(), **versions, **function})


def init_runtime_done(init: Init, at: float, status: Status, error_type: str | None = None) -> PlatformEvent:
    record = init.record() | {"status": status} | _error(error_type)
    level = DEBUG if status == "success" else WARN
    return PlatformEvent(type=f"{init.name}RuntimeDone", at=at, record=record, level=level)


def init_report(
    init: Init, at: float, duration_ms: float, status: Status, error_type: str | None = None
) -> PlatformEvent:
    metrics = {"metrics": {"durationMs": round(duration_ms, 3)}}
    record = init.record() | {"status": status} | _error(error_type) | metrics
    level = WARN if status != "success" else DEBUG if init.initialization_type == "on-demand" else INFO
    return PlatformEvent(type=f"{init.name}Report", at=at, record=record, level=level)


def start(
    request_id: str,
    invoked_arn: str,
    version: str,
    at: float,
    *,
    tenant_id: str | None = None,
    trace_id: str | None = None,
) -> PlatformEvent:
    record = {"requestId": request_id, "functionArn": invoked_arn, "version": version}
    record |= {**_tenant(tenant_id), **_tracing(trace_id)}
    return PlatformEvent(type="platform.start", at=at, record=record)


def runtime_done(report: Report, at: float, produced_bytes: int | None) -> PlatformEvent:
    """`produced_bytes` is the length of the response; None where there was none."""
    metrics = {"durationMs": round(report.duration_ms, 3), "producedBytes": produced_bytes or 0}
    record: dict[str, Any] = {"requestId": report.request_id, "status": report.status}
    record |= _error(report.error_type)
    if produced_bytes is not None:
        begun = at - report.duration_ms / 1000
        record["spans"] = [
            _span("responseLatency", begun, report.duration_ms),
            _span("responseDuration", at, 0.0),
        ]
    record |= {"metrics": metrics, **_tenant(report.tenant_id), **_tracing(report.trace_id)}
    level = DEBUG if report.status == "success" else WARN
    return PlatformEvent(type="platform.runtimeDone", at=at, record=record, level=level)


def fault(request_id: str, message: str, at: float) -> PlatformEvent:
    """Of the Logs API only."""
    return PlatformEvent(
        type="platform.fault", at=at, record=f"RequestId: {request_id} {message}", level=WARN
    )


def end(request_id: str, at: float) -> PlatformEvent:
    """Of the Logs API only."""
    return PlatformEvent(type="platform.end", at=at, record={"requestId": request_id})


def report(measured: Report, at: float) -> PlatformEvent:
    metrics: dict[str, Any] = {
        "durationMs": round(measured.duration_ms, 3),
        "billedDurationMs": measured.billed_duration_ms,
        "memorySizeMB": measured.memory_size_mb,
        "maxMemoryUsedMB": measured.max_memory_used_mb,
    }
    if measured.init_duration_ms is not None:
        metrics["initDurationMs"] = round(measured.init_duration_ms, 3)
    if measured.restore_duration_ms is not None:
        metrics["restoreDurationMs"] = round(measured.restore_duration_ms, 3)
        metrics["billedRestoreDurationMs"] = math.ceil(measured.restore_duration_ms)
    record: dict[str, Any] = {
        "requestId": measured.request_id,
        "metrics": metrics,
        "status": measured.status,
        **_error(measured.error_type),
        **_tenant(measured.tenant_id),
        **_tracing(measured.trace_id),
    }
    level = INFO if measured.status == "success" else WARN
    return PlatformEvent(type="platform.report", at=at, record=record, level=level)


def extension(
    name: str, state: str, events: Sequence[str], at: float, error_type: str | None = None
) -> PlatformEvent:
    record = {"name": name, "state": state, "events": list(events)} | _error(error_type)
    return PlatformEvent(type="platform.extension", at=at, record=record, level=WARN if error_type else INFO)


def subscription(api: str, name: str, state: str, types: Sequence[str], at: float) -> PlatformEvent:
    """`api` is "Telemetry" or "Logs"."""
    record = {"name": name, "state": state, "types": list(types)}
    return PlatformEvent(type=f"platform.{api.lower()}Subscription", at=at, record=record)


def logs_dropped(records: int, size: int, reason: str, at: float) -> PlatformEvent:
    record = {"droppedBytes": size, "droppedRecords": records, "reason": reason}
    return PlatformEvent(type="platform.logsDropped", at=at, record=record, level=WARN)


def sampled(trace_id: str | None) -> dict[str, str] | None:
    """The fields of a tracing header; None where the request is not sampled."""
    if trace_id is None or "Sampled=1" not in trace_id:
        return None
    return dict(field.split("=", 1) for field in trace_id.split(";") if "=" in field)


def iso_milliseconds(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _error(error_type: str | None) -> dict[str, Any]:
    return {} if error_type is None else {"errorType": error_type}


def _tenant(tenant_id: str | None) -> dict[str, Any]:
    return {} if tenant_id is None else {"tenantId": tenant_id}


def _tracing(trace_id: str | None) -> dict[str, Any]:
    trace = sampled(trace_id)
    if trace is None:
        return {}
    return {"tracing": {"spanId": trace.get("Parent", ""), "type": "X-Amzn-Trace-Id", "value": trace_id}}


def _span(name: str, begun: float, duration_ms: float) -> dict[str, Any]:
    return {"name": name, "start": iso_milliseconds(begun), "durationMs": round(duration_ms, 3)}
