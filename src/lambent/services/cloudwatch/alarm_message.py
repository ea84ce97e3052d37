"""What an alarm's actions are told: a topic, and a function.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from typing import Any

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.model.alarm import Alarm
from lambent.services.cloudwatch.input import moment_text

_TRIGGER = {
    "MetricName": "MetricName",
    "Namespace": "Namespace",
    "Period": "Period",
    "EvaluationPeriods": "EvaluationPeriods",
    "DatapointsToAlarm": "DatapointsToAlarm",
    "ComparisonOperator": "ComparisonOperator",
    "Threshold": "Threshold",
    "TreatMissingData": "TreatMissingData",
    "Metrics": "Metrics",
}


def message_of(alarm: Alarm, previous: str, action: str, now: float) -> bytes:
    service = Arn.parse(action).service
    return orjson.dumps(
        _for_function(alarm, previous, now) if service == "lambda" else _for_topic(alarm, previous)
    )


def _for_topic(alarm: Alarm, previous: str) -> dict[str, Any]:
    settings = alarm.settings
    trigger: dict[str, Any] = {
        name: settings[member] for name, member in _TRIGGER.items() if member in settings
    }
    if "Statistic" in settings:
        trigger |= {"StatisticType": "Statistic", "Statistic": settings["Statistic"].upper()}
    trigger["Unit"] = settings.get("Unit")
    trigger["Dimensions"] = [
        {"value": one["Value"], "name": one["Name"]} for one in settings.get("Dimensions", ())
    ]
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": alarm.account_id,
        "AlarmConfigurationUpdatedTimestamp": moment_text(alarm.configured_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": moment_text(alarm.updated_at),
        "Region": alarm.region,
        "AlarmArn": alarm.arn(partition_of(alarm.region)),
        "OldStateValue": previous,
        "OKActions": list(settings.get("OKActions", ())),
        "AlarmActions": list(settings.get("AlarmActions", ())),
        "InsufficientDataActions": list(settings.get("InsufficientDataActions", ())),
        "Trigger": trigger,
    }


def _for_function(alarm: Alarm, previous: str, now: float) -> dict[str, Any]:
    settings = alarm.settings
    metrics = settings.get("Metrics") or [
        {
            "id": "m1",
            "metricStat": {
                "metric": {
                    "namespace": settings["Namespace"],
                    "name": settings["MetricName"],
                    "dimensions": {one["Name"]: one["Value"] for one in settings.get("Dimensions", ())},
                },
                "period": settings["Period"],
                "stat": settings.get("Statistic") or settings["ExtendedStatistic"],
            },
            "returnData": True,
        }
    ]
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn(partition_of(alarm.region)),
        "accountId": alarm.account_id,
        "time": moment_text(now),
        "region": alarm.region,
        "alarmData": {
            "alarmName": alarm.name,
            "state": {
                "value": alarm.state,
                "reason": alarm.reason,
                "reasonData": alarm.reason_data or "{}",
                "timestamp": moment_text(alarm.updated_at),
            },
            "previousState": {"value": previous},
            "configuration": {"description": settings.get("AlarmDescription", ""), "metrics": metrics},
        },
    }


def subject_of(alarm_name: str, state: str, region: str) -> str:
    """Of the e-mail that a topic would send: 100 characters at most."""
    return f'{state}: "{alarm_name}" in {region}'[:100]
