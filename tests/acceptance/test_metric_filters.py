"""Metric filters and embedded metrics, over boto3: what functions and callers log becomes numbers."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

TRANSFORMATION = {"metricName": "Errors", "metricNamespace": "App:1", "metricValue": "1"}


def test_filters_live_and_end_with_their_group(lambent: Lambent) -> None:
    logs = lambent.logs
    group = "/metric-filters/life"
    with pytest.raises(ClientError, match="The specified log group does not exist"):
        logs.put_metric_filter(
            logGroupName=group,
            filterName="errors",
            filterPattern="ERROR",
            metricTransformations=[TRANSFORMATION],
        )
    logs.create_log_group(logGroupName=group)
    for name in ("errors", "warnings"):
        logs.put_metric_filter(
            logGroupName=group,
            filterName=name,
            filterPattern="?ERROR ?WARN",
            metricTransformations=[{**TRANSFORMATION, "defaultValue": 0}],
        )
    found = logs.describe_metric_filters(logGroupName=group, filterNamePrefix="err")["metricFilters"]
    assert [(entry["filterName"], entry["metricTransformations"]) for entry in found] == [
        ("errors", [{**TRANSFORMATION, "defaultValue": 0.0}])
    ]
    (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["metricFilterCount"] == 2
    logs.delete_metric_filter(logGroupName=group, filterName="warnings")
    with pytest.raises(ClientError, match="The specified metric filter does not exist"):
        logs.delete_metric_filter(logGroupName=group, filterName="warnings")
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []
    logs.delete_log_group(logGroupName=group)


def statistics(lambent: Lambent, namespace: str, name: str, **dimensions: str) -> dict[str, float]:
    """Sum and number of what was measured in the last minutes; empty where nothing was."""
    now = datetime.now(UTC)
    points = lambent.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return {key: sum(point[key] for point in points) for key in ("Sum", "SampleCount")} if points else {}


CODE = """
import json, time
def handler(event, context):
    print(json.dumps({"level": "ERROR", "ms": event["ms"], "kind": "order"}))
    print(json.dumps({
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": "Shop", "Dimensions": [["kind"]], "Metrics": [{"Name": "items", "Unit": "Count"}]}
            ],
        },
        "kind": "order",
        "items": [1, 2, 3],
    }))
"""


def test_what_a_function_logs_is_counted(lambent: Lambent) -> None:
    name = lambent.python(CODE)
    group = f"/aws/lambda/{name}"
    lambent.logs.create_log_group(logGroupName=group)
    for filter_name, transformation in {
        "errors": {"metricName": "Errors", "metricValue": "1", "unit": "Count"},
        "times": {"metricName": "Time", "metricValue": "$.ms", "dimensions": {"Kind": "$.kind"}},
    }.items():
        lambent.logs.put_metric_filter(
            logGroupName=group,
            filterName=filter_name,
            filterPattern='{ $.level = "ERROR" && $.ms = * && $.kind = * }',
            metricTransformations=[{"metricNamespace": name, **transformation}],
        )
    for ms in (10, 20):
        lambent.invoke(name, {"ms": ms})
    wanted = {"Sum": 2.0, "SampleCount": 2.0}
    eventually(lambda: statistics(lambent, name, "Errors") == wanted)
    assert statistics(lambent, name, "Time", Kind="order") == {"Sum": 30.0, "SampleCount": 2.0}
    assert statistics(lambent, "Shop", "items", kind="order") == {"Sum": 12.0, "SampleCount": 6.0}
    assert statistics(lambent, "AWS/Logs", "IncomingLogEvents", LogGroupName=group)["Sum"] >= 10


def test_what_is_put_is_counted_and_survives_the_end_of_the_server(new_server: NewServer) -> None:
    server = new_server()
    logs, group = server.logs, "/metric-filters/durable"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    logs.put_metric_filter(
        logGroupName=group, filterName="errors", filterPattern="ERROR", metricTransformations=[TRANSFORMATION]
    )

    def put(*messages: str) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": message} for message in messages]
        server.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)

    put("ERROR", "fine", "ERROR")
    assert statistics(server, "App:1", "Errors") == {"Sum": 2.0, "SampleCount": 2.0}
    server.kill()
    server.start_again()
    put("ERROR")
    assert statistics(server, "App:1", "Errors") == {"Sum": 3.0, "SampleCount": 3.0}
