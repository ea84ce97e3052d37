"""Metric filters and embedded metrics, over boto3: what functions and callers log becomes numbers."""

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent

TRANSFORMATION = {"metricName": "Errors", "metricNamespace": "App", "metricValue": "1"}


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
