import json

from lambent.model.alarm import Alarm
from lambent.services.cloudwatch.alarm_message import event_detail, message_of, subject_of

TOPIC = "arn:aws:sns:us-east-1:111122223333:t"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f"


def an_alarm(**settings):
    return Alarm(
        name="a",
        account_id="111122223333",
        region="us-east-1",
        settings=settings,
        configured_at=0.0,
        updated_at=1.0,
        transitioned_at=1.0,
        state="ALARM",
        reason="because",
    )


ON_METRIC = {
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Average",
    "Dimensions": [{"Name": "d", "Value": "v"}],
    "Period": 10,
    "EvaluationPeriods": 2,
    "Threshold": 2.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmActions": [TOPIC],
}


def told(alarm, action):
    return json.loads(message_of(alarm, an_alarm(**ON_METRIC), action, 2.0))


def test_a_topic_is_told_the_metric():
    message = told(an_alarm(**ON_METRIC), TOPIC)
    assert (message["Region"], message["AlarmDescription"], message["OldStateValue"]) == (
        "US East (N. Virginia)",
        None,
        "ALARM",
    )
    assert message["Trigger"] == {
        "MetricName": "m",
        "Namespace": "n",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"value": "v", "name": "d"}],
        "Period": 10,
        "EvaluationPeriods": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 2.0,
        "TreatMissingData": "",
        "EvaluateLowSampleCountPercentile": "",
    }


def test_a_statistic_is_told_in_words_joined_by_underscores():
    assert (
        told(an_alarm(**{**ON_METRIC, "Statistic": "SampleCount"}), TOPIC)["Trigger"]["Statistic"]
        == "SAMPLE_COUNT"
    )


QUERIES = {
    "Metrics": [
        {"Id": "e1", "Expression": "m1 * 2", "Label": "twice"},
        {
            "Id": "m1",
            "MetricStat": {
                "Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "v"}]},
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        },
    ],
    "EvaluationPeriods": 1,
}


def test_a_topic_is_told_expressions():
    expression, metric = told(an_alarm(**QUERIES), TOPIC)["Trigger"]["Metrics"]
    assert expression == {"Id": "e1", "Expression": "m1 * 2", "Label": "twice", "ReturnData": True}
    assert metric["MetricStat"]["Metric"]["Dimensions"] == [{"value": "v", "name": "d"}]


def test_a_function_is_told_expressions():
    data = told(an_alarm(**QUERIES, AlarmDescription="d"), FUNCTION)["alarmData"]
    assert data["configuration"] == {
        "description": "d",
        "metrics": [
            {"id": "e1", "expression": "m1 * 2", "label": "twice", "returnData": True},
            {
                "id": "m1",
                "metricStat": {
                    "metric": {"namespace": "n", "name": "m", "dimensions": {"d": "v"}},
                    "period": 60,
                    "stat": "Sum",
                },
                "returnData": False,
            },
        ],
    }
    assert data["state"] == {
        "value": "ALARM",
        "reason": "because",
        "timestamp": "1970-01-01T00:00:01.000+0000",
    }


def test_a_bus_is_told_the_same_as_a_function():
    alarm = an_alarm(**QUERIES)
    assert json.loads(event_detail(alarm, alarm)) == told(alarm, FUNCTION)["alarmData"] | {
        "previousState": told(alarm, FUNCTION)["alarmData"]["state"]
    }


def test_a_composite_alarm_tells_which_of_its_children_it_was():
    alarm = an_alarm(AlarmRule="ALARM(x)", ActionsSuppressor="s")
    assert told(alarm, TOPIC)["TriggeringChildren"] == []
    assert "AlarmConfigurationUpdatedTimestamp" not in told(alarm, TOPIC)
    assert told(alarm, FUNCTION)["alarmData"]["configuration"] == {
        "alarmRule": "ALARM(x)",
        "actionsSuppressor": "s",
    }


def test_a_subject_has_a_hundred_characters_at_most():
    assert subject_of("a", "OK", "US East (Ohio)") == 'OK: "a" in US East (Ohio)'
    assert len(subject_of("a" * 255, "OK", "x")) == 100
