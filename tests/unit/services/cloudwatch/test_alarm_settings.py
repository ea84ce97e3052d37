import pytest

from lambent.model.error import ValidationException
from lambent.services.cloudwatch.alarm_settings import banded_metrics, check_alarm

ALARM = {
    "AlarmName": "a",
    "Namespace": "n",
    "MetricName": "m",
    "Period": 60,
    "Statistic": "Sum",
    "EvaluationPeriods": 2,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
TOPIC = "arn:aws:sns:us-east-1:111122223333:t"


def test_an_alarm_may_tell_topics_and_functions():
    check_alarm(
        {
            **ALARM,
            "AlarmActions": [TOPIC],
            "OKActions": ["arn:aws:lambda:us-east-1:111122223333:function:f:1"],
        }
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"AlarmActions": ["arn:alarm"]}, "Invalid arn syntax: arn:alarm"),
        ({"OKActions": ["nothing"]}, "Invalid arn syntax: nothing"),
        (
            {"InsufficientDataActions": ["arn:aws:swf:us-east-1:1:action/x"]},
            "Lambent does not offer arn:aws:swf",
        ),
        ({"DatapointsToAlarm": 3}, "between 1 and EvaluationPeriods"),
        ({"TreatMissingData": "no"}, "Option no is not supported"),
        ({"Period": 86_400, "EvaluationPeriods": 8}, "more than seven days"),
        ({"ExtendedStatistic": "p90"}, "not both"),
        ({"EvaluateLowSampleCountPercentile": "no"}, "Option no is not supported"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "only be specified for alarms on a percentile"),
    ],
)
def test_what_is_refused_says_why(changed, message):
    with pytest.raises(ValidationException) as refused:
        check_alarm({**ALARM, **changed})
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("SELECT SUM(x) FROM y GROUP BY z", "GROUP BY"),
        ("SUM(SEARCH('x', 'Sum'))", "SEARCH is not supported"),
    ],
)
def test_an_alarm_wants_one_series(expression, message):
    settings = {
        name: ALARM[name] for name in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")
    }
    check_alarm({**settings, "Metrics": [{"Id": "q", "Expression": "SELECT SUM(x) FROM y", "Period": 60}]})
    with pytest.raises(ValidationException) as refused:
        check_alarm({**settings, "Metrics": [{"Id": "q", "Expression": expression, "Period": 60}]})
    assert message in refused.value.message


STAT = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
BANDED = {
    "AlarmName": "a",
    "EvaluationPeriods": 2,
    "ComparisonOperator": "GreaterThanUpperThreshold",
    "ThresholdMetricId": "ad1",
    "Metrics": [
        {"Id": "m1", "MetricStat": STAT, "ReturnData": True},
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True},
    ],
}


def test_an_alarm_may_be_on_a_band():
    check_alarm(BANDED)
    assert banded_metrics(BANDED) == [STAT]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Threshold": 1.0}, "Threshold and ThresholdMetricId are mutually exclusive"),
        ({"ThresholdMetricId": "m1"}, "m1 is not the Id of an ANOMALY_DETECTION_BAND"),
        ({"ThresholdMetricId": "other"}, "other is not the Id of an ANOMALY_DETECTION_BAND"),
        ({"ComparisonOperator": "GreaterThanThreshold"}, "takes a Threshold and no ThresholdMetricId"),
        ({"ThresholdMetricId": None}, "ThresholdMetricId must be specified for GreaterThanUpperThreshold"),
    ],
)
def test_of_a_band_and_a_number_there_is_one(changed, message):
    with pytest.raises(ValidationException) as refused:
        check_alarm({name: value for name, value in {**BANDED, **changed}.items() if value is not None})
    assert message in refused.value.message
