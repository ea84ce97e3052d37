"""Bands of expected values: detectors, what GetMetricData says of them, and alarms on them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually


def remember(cloudwatch: Any, namespace: str, now: datetime) -> None:
    """Three days of what is usual, and a moment ago something else."""
    usual = [
        {
            "MetricName": "Orders",
            "Timestamp": now - timedelta(hours=hour, minutes=minute),
            "Value": 10 + minute % 3,
        }
        for hour in range(1, 72)
        for minute in range(5)
    ]
    unusual = [
        {"MetricName": "Orders", "Timestamp": now - timedelta(minutes=minute), "Value": 900}
        for minute in range(5)
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=usual + unusual)


def test_an_alarm_on_a_band_rings_outside_of_it(lambent: Lambent) -> None:
    cloudwatch, namespace = lambent.client("cloudwatch"), lambent.new_name("Shop")
    now = datetime.now(UTC)
    remember(cloudwatch, namespace, now)
    stat = {"Metric": {"Namespace": namespace, "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}
    metrics: list[dict[str, Any]] = [
        {"Id": "m1", "MetricStat": stat},
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"},
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=metrics, StartTime=now - timedelta(hours=2), EndTime=now
    )
    values, upper, lower = (one["Values"] for one in answer["MetricDataResults"])
    assert max(values) == 900
    assert all(5 < low < 11 < high < 100 for low, high in zip(lower, upper, strict=True))
    alarm = lambent.new_name("unusual")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Metrics=metrics,
        ThresholdMetricId="ad1",
        ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
        EvaluationPeriods=1,
    )

    def ringing() -> Any:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return found if found["StateValue"] == "ALARM" else None

    found = eventually(ringing, seconds=30)
    assert found["ThresholdMetricId"] == "ad1"
    assert found["StateReason"].startswith("Thresholds Crossed: 1 out of the last 1 datapoints [900.0 (")
    (detector,) = cloudwatch.describe_anomaly_detectors(Namespace=namespace)["AnomalyDetectors"]
    assert (detector["Stat"], detector["StateValue"]) == ("Sum", "TRAINED")
    cloudwatch.delete_alarms(AlarmNames=[alarm])


def test_detectors_are_put_described_and_deleted_as_recorded(lambent: Lambent) -> None:
    cloudwatch, namespace = lambent.client("cloudwatch"), lambent.new_name("MyNamespace")
    dimensions = [{"Name": "DimensionName", "Value": "DimensionValue"}]
    metric = {"Namespace": namespace, "MetricName": "MyMetric", "Stat": "Sum", "Dimensions": dimensions}
    cloudwatch.put_anomaly_detector(**metric, Configuration={})
    expected = {
        **metric,
        "Configuration": {"ExcludedTimeRanges": []},
        "SingleMetricAnomalyDetector": metric,
        "StateValue": "PENDING_TRAINING",
    }
    assert cloudwatch.describe_anomaly_detectors(Namespace=namespace)["AnomalyDetectors"] == [expected]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    configuration = {
        "ExcludedTimeRanges": [{"StartTime": start, "EndTime": start + timedelta(days=1)}],
        "MetricTimezone": "Europe/Berlin",
    }
    cloudwatch.put_anomaly_detector(
        SingleMetricAnomalyDetector=metric,
        Configuration=configuration,
        MetricCharacteristics={"PeriodicSpikes": True},
    )
    (found,) = cloudwatch.describe_anomaly_detectors(MetricName="MyMetric", Dimensions=dimensions)[
        "AnomalyDetectors"
    ]
    assert found["Configuration"] == configuration
    assert found["MetricCharacteristics"] == {"PeriodicSpikes": True}
    cloudwatch.delete_anomaly_detector(**metric)
    assert cloudwatch.describe_anomaly_detectors(Namespace=namespace)["AnomalyDetectors"] == []
    for refused, code in (
        ({**metric, "SingleMetricAnomalyDetector": metric}, "InvalidParameterCombination"),
        ({"Namespace": namespace, "MetricName": "m"}, "MissingParameter"),
        ({**metric, "Configuration": {"MetricTimezone": "Mars"}}, "InvalidParameterValue"),
        ({**metric, "Configuration": {"AdaptationSpeed": "FAST"}}, "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError) as caught:
            cloudwatch.put_anomaly_detector(**refused)
        assert caught.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError) as caught:
        cloudwatch.delete_anomaly_detector(**metric)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
