import json

from lambent.environments.log_lines import Report, log_lines

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
    assert lines.start("r", "1", 0) == ""
    assert lines.report(REPORT, 0) == ""
