import json

import pytest

from lambent.environments import platform_events
from lambent.environments.log_lines import log_lines
from lambent.environments.platform_events import Init, Report

REPORT = Report(
    request_id="r-1", duration_ms=12.344, memory_size_mb=128, max_memory_used_mb=40, init_duration_ms=100.5
)


def test_the_text_report_is_as_aws_prints_it():
    assert log_lines("Text", None).report(REPORT, 0) == (
        "REPORT RequestId: r-1\tDuration: 12.34 ms\tBilled Duration: 113 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 40 MB\tInit Duration: 100.50 ms\t\n"
    )


def test_a_failed_run_says_so_in_its_report():
    report = Report(
        request_id="r",
        duration_ms=3000,
        memory_size_mb=128,
        max_memory_used_mb=1,
        status="error",
        error_type="Runtime.ExitError",
    )
    assert (
        log_lines("Text", None)
        .report(report, 0)
        .endswith("\tStatus: error\tError Type: Runtime.ExitError\t\n")
    )


def test_a_sampled_request_of_a_function_that_traces_is_told_with_its_trace():
    trace = "Root=1-5e1b4151-43a0913a12345678901234ab;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=25:ab:0"
    report = Report(
        request_id="r-1", duration_ms=1, memory_size_mb=128, max_memory_used_mb=40, trace_id=trace
    )
    assert (
        log_lines("Text", None)
        .report(report, 0)
        .endswith(
            "\t\nXRAY TraceId: 1-5e1b4151-43a0913a12345678901234ab\tSegmentId: 53995c3f42cd8ad8\tSampled: true\t\n"
        )
    )
    tracing = json.loads(log_lines("JSON", "INFO").report(report, 0))["record"]["tracing"]
    assert tracing == {"spanId": "53995c3f42cd8ad8", "type": "X-Amzn-Trace-Id", "value": trace}
    report.trace_id = trace.replace("Sampled=1", "Sampled=0")
    assert "XRAY" not in log_lines("Text", None).report(report, 0)


def test_a_timeout_is_told_with_time_and_request():
    line = log_lines("Text", None).fault("r-1", "Task timed out after 3.00 seconds", "Sandbox.Timedout", 0.5)
    assert line == "1970-01-01T00:00:00.500Z r-1 Task timed out after 3.00 seconds\n\n"


def test_json_lines_are_telemetry_events():
    event = json.loads(log_lines("JSON", "INFO").report(REPORT, 0))
    assert event["type"] == "platform.report"
    assert event["record"]["metrics"] == {
        "durationMs": 12.344,
        "billedDurationMs": 113,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 40,
        "initDurationMs": 100.5,
    }


def test_a_quiet_json_log_keeps_only_what_went_wrong():
    lines = log_lines("JSON", "WARN")
    assert lines.start("r", "arn:f", "1", 0) == ""
    assert lines.report(REPORT, 0) == ""


@pytest.mark.parametrize(
    ("event", "least"),
    [
        (platform_events.init_runtime_done(Init(), 0, "success"), "DEBUG"),
        (platform_events.init_runtime_done(Init(), 0, "error", "Runtime.X"), "WARN"),
        (platform_events.init_report(Init(), 0, 1.0, "success"), "DEBUG"),
        (
            platform_events.init_report(Init(initialization_type="provisioned-concurrency"), 0, 1, "success"),
            "INFO",
        ),
        (platform_events.init_report(Init(), 0, 1.0, "timeout"), "WARN"),
        (platform_events.start("r", "arn:f", "1", 0), "INFO"),
        (platform_events.runtime_done(REPORT, 0, 1), "DEBUG"),
        (platform_events.report(REPORT, 0), "INFO"),
        (platform_events.extension("agent", "Ready", ["INVOKE"], 0), "INFO"),
        (platform_events.subscription("Telemetry", "agent", "Subscribed", ["platform"], 0), "INFO"),
        (platform_events.logs_dropped(1, 2, "slow", 0), "WARN"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.type}",
)
def test_the_levels_at_which_json_logs_have_each_event(event, least):
    """As AWS's table of system log levels has it."""
    levels = ["DEBUG", "INFO", "WARN"]
    shown = [level for level in levels if log_lines("JSON", level).line(event)]
    assert shown == levels[: levels.index(least) + 1]


def test_what_happens_rarely_in_words():
    text = log_lines("Text", None)
    subscribed = platform_events.subscription("Telemetry", "agent", "Subscribed", ["platform", "function"], 0)
    assert text.line(subscribed) == "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function]\n"
    subscribed = platform_events.subscription("Logs", "agent", "Subscribed", ["extension"], 0)
    assert text.line(subscribed) == "LOGS\tName: agent\tState: Subscribed\tTypes: [Extension]\n"
    ready = platform_events.extension("agent", "Ready", ["INVOKE", "SHUTDOWN"], 0)
    assert text.line(ready) == "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n"
    assert text.line(platform_events.runtime_done(REPORT, 0, 1)) == ""
    assert text.line(platform_events.init_report(Init(), 0, 1.0, "success")) == ""


def test_the_events_of_a_restore_tell_of_no_init() -> None:
    init = platform_events.Init(initialization_type="snap-start", restores=True)
    begun = platform_events.init_start(
        init, 0, runtime_version="python:3.12", runtime_version_arn="arn", function={"functionName": "f"}
    )
    assert (begun.type, begun.record) == (
        "platform.restoreStart",
        {"runtimeVersion": "python:3.12", "runtimeVersionArn": "arn", "functionName": "f"},
    )
    done = platform_events.init_runtime_done(init, 0, "error", "Runtime.ExitError")
    assert (done.type, done.record) == (
        "platform.restoreRuntimeDone",
        {"status": "error", "errorType": "Runtime.ExitError"},
    )
    report = platform_events.init_report(init, 0, 15.19, "success")
    assert (report.type, report.record) == (
        "platform.restoreReport",
        {"status": "success", "metrics": {"durationMs": 15.19}},
    )
