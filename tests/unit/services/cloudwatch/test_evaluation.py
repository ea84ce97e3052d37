import json

import pytest

from lambent.services.cloudwatch.evaluation import judge
from lambent.services.cloudwatch.thresholds import Limits

HIGH = {
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 10,
    "ComparisonOperator": "GreaterThanThreshold",
    "Statistic": "Sum",
}


def state(*values, **settings):
    points = [(60 * position, value) for position, value in enumerate(values)]
    return judge({**HIGH, **settings}, points, 60, 1000.0)


@pytest.mark.parametrize(
    ("values", "missing", "expected"),
    [
        ((0, 0, 0, 11, 5, 12), "missing", "ALARM"),
        ((0, 0, 0, 11, 5, 10), "missing", "OK"),
        ((0, 11, 12, None, None, None), "missing", "ALARM"),  # late data does not hide what is known
        ((None,) * 6, "missing", "INSUFFICIENT_DATA"),
        ((None,) * 6, "breaching", "ALARM"),
        ((None,) * 6, "notBreaching", "OK"),
        ((None,) * 6, "ignore", None),
        ((None, None, None, None, None, 11), "missing", "OK"),
        ((None, None, None, None, None, 11), "breaching", "ALARM"),
        ((None, None, None, None, None, 11), "notBreaching", "OK"),
        ((None, None, None, None, None, 11), "ignore", None),
    ],
)
def test_m_out_of_n_with_what_is_missing(values, missing, expected):
    assert state(*values, TreatMissingData=missing).state == expected


def test_the_reason_is_in_awss_words():
    verdict = state(1, 11, EvaluationPeriods=1, DatapointsToAlarm=1)
    assert verdict.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [11 (01/01/70 00:01:00)] was greater than the threshold "
        "(10.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    data = json.loads(verdict.data)
    assert (data["statistic"], data["period"], data["recentDatapoints"], data["threshold"]) == (
        "Sum",
        60,
        [11],
        10.0,
    )
    below = state(11, 2, 3, EvaluationPeriods=3, DatapointsToAlarm=2)
    assert below.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [3 (01/01/70 00:02:00), 2 (01/01/70 00:01:00)] were not "
        "greater than the threshold (10.0) (minimum 2 datapoints for ALARM -> OK transition)."
    )
    assert state(*(None,) * 6).reason == "Insufficient Data: 3 datapoints were unknown."


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (
            "breaching",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
            "[Breaching].",
        ),
        (
            "notBreaching",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
            "[NonBreaching].",
        ),
    ],
)
def test_what_is_missing_is_named(missing, reason):
    assert state(*(None,) * 6, TreatMissingData=missing).reason == reason


def test_without_datapoints_to_alarm_the_reason_is_short_and_the_data_complete():
    settings = {name: value for name, value in HIGH.items() if name != "DatapointsToAlarm"}
    points = [(0, None), (60, 21.5)]
    verdict = judge({**settings, "EvaluationPeriods": 1, "Unit": "Seconds"}, points, 60, 90.0, {60: 2.0})
    assert verdict.reason == (
        "Threshold Crossed: 1 datapoint [21.5 (01/01/70 00:01:00)] was greater than the threshold (10.0)."
    )
    assert list(json.loads(verdict.data).items()) == [
        ("version", "1.0"),
        ("queryDate", "1970-01-01T00:01:30.000+0000"),
        ("startDate", "1970-01-01T00:01:00.000+0000"),
        ("unit", "Seconds"),
        ("statistic", "Sum"),
        ("period", 60),
        ("recentDatapoints", [21.5]),
        ("threshold", 10.0),
        (
            "evaluatedDatapoints",
            [{"timestamp": "1970-01-01T00:01:00.000+0000", "sampleCount": 2.0, "value": 21.5}],
        ),
    ]


def test_periods_without_data_are_told_by_their_time():
    data = json.loads(state(*(None,) * 6, TreatMissingData="breaching").data)
    assert data["recentDatapoints"] == []
    assert "startDate" not in data
    assert data["evaluatedDatapoints"] == [
        {"timestamp": f"1970-01-01T00:0{minute}:00.000+0000"} for minute in (5, 4, 3)
    ]


@pytest.mark.parametrize(
    ("percentile", "samples", "expected"),
    [("p90", 99.0, None), ("p90", 100.0, "ALARM"), ("p10", 99.0, None), ("p50", 20.0, "ALARM")],
)
def test_a_percentile_of_few_measurements_may_be_ignored(percentile, samples, expected):
    settings = {
        "EvaluationPeriods": 1,
        "Threshold": 10,
        "ComparisonOperator": "GreaterThanThreshold",
        "ExtendedStatistic": percentile,
    }
    few = {"EvaluateLowSampleCountPercentile": "ignore"}
    assert judge({**settings, **few}, [(60, 11)], 60, 90.0, {60: samples}).state == expected
    assert judge(settings, [(60, 11)], 60, 90.0, {60: samples}).state == "ALARM"


BAND = {
    "EvaluationPeriods": 1,
    "ThresholdMetricId": "ad1",
    "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
}
LIMITS = Limits({0: 0.3, 60: 0.3}, {0: 0.02, 60: 0.02})


def in_band(*values, limits=LIMITS, **settings):
    points = [(60 * position, value) for position, value in enumerate(values)]
    return judge({**BAND, **settings}, points, 60, 1000.0, limits=limits)


def test_a_band_has_two_sides():
    crossed = in_band(0.1, 0.0)
    assert (crossed.state, crossed.reason) == (
        "ALARM",
        "Thresholds Crossed: 1 out of the last 1 datapoints [0.0 (01/01/70 00:01:00)] was less than the lower "
        "thresholds [0.02] or greater than the upper thresholds [0.3] (minimum 1 datapoint for OK -> ALARM "
        "transition).",
    )
    data = json.loads(crossed.data)
    assert (data["recentLowerThresholds"], data["recentUpperThresholds"]) == ([0.02], [0.3])
    assert "threshold" not in data
    inside = in_band(0.0, 0.1)
    assert (inside.state, inside.reason) == (
        "OK",
        "Thresholds Crossed: 1 out of the last 1 datapoints [0.1 (01/01/70 00:01:00)] was not less than the lower "
        "thresholds [0.02] or not greater than the upper thresholds [0.3] (minimum 1 datapoint for ALARM -> OK "
        "transition).",
    )


def test_one_side_of_a_band_is_told_alone():
    above = in_band(0.4, ComparisonOperator="GreaterThanUpperThreshold")
    assert above.reason == (
        "Thresholds Crossed: 1 out of the last 1 datapoints [0.4 (01/01/70 00:00:00)] was greater than the upper "
        "thresholds [0.3] (minimum 1 datapoint for OK -> ALARM transition)."
    )
    (evaluated,) = json.loads(above.data)["evaluatedDatapoints"]
    assert evaluated == {"timestamp": "1970-01-01T00:00:00.000+0000", "value": 0.4, "threshold": 0.3}
    assert in_band(0.0, ComparisonOperator="GreaterThanUpperThreshold").state == "OK"
    assert in_band(0.4, ComparisonOperator="LessThanLowerThreshold").state == "OK"


def test_what_has_no_band_is_not_judged():
    assert in_band(9.0, limits=Limits({}, {})).state == "INSUFFICIENT_DATA"
