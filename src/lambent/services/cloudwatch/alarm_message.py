"""What an alarm's actions are told: a topic, and a function.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from collections.abc import Mapping
from typing import Any

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.base.ids import new_uuid
from lambent.model.alarm import ACTIONS, Alarm
from lambent.services.cloudwatch.input import moment_text
from lambent.services.cloudwatch.region_names import region_name

_TRIGGER = (
    *("Period", "EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator"),
    *("ThresholdMetricId", "Threshold"),
)
_CONFIGURATION = {
    "AlarmDescription": "description",
    "AlarmRule": "alarmRule",
    "ActionsSuppressor": "actionsSuppressor",
    "ActionsSuppressorWaitPeriod": "actionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod": "actionsSuppressorExtensionPeriod",
}


def message_of(alarm: Alarm, before: Alarm, action: str, now: float) -> bytes:
    """What an action is told. `before` is the alarm as it was."""
    if Arn.parse(action).service == "lambda":
        return orjson.dumps(_for_function(alarm, before, now))
    return orjson.dumps(_for_topic(alarm, before.state))


def event_detail(alarm: Alarm, before: Alarm) -> bytes:
    """Of the event `CloudWatch Alarm State Change`."""
    return orjson.dumps(_data(alarm, before))


def subject_of(alarm_name: str, state: str, region: str) -> str:
    """Of the e-mail that a topic would send: 100 characters at most. `region` is its long name."""
    return f'{state}: "{alarm_name}" in {region}'[:100]


def _for_topic(alarm: Alarm, previous: str) -> dict[str, Any]:
    settings = alarm.settings
    told: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": alarm.account_id,
        "AlarmConfigurationUpdatedTimestamp": moment_text(alarm.configured_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": moment_text(alarm.updated_at),
        "Region": region_name(alarm.region),
        "AlarmArn": alarm.arn(partition_of(alarm.region)),
        "OldStateValue": previous,
        **{name: list(settings.get(name, ())) for name in ACTIONS},
    }
    if not alarm.is_composite:
        return {**told, "Trigger": _trigger(settings)}
    del told["AlarmConfigurationUpdatedTimestamp"]
    return {**told, "AlarmRule": settings["AlarmRule"], "TriggeringChildren": _triggering(alarm)}


def _triggering(alarm: Alarm) -> list[dict[str, Any]]:
    """None where the state was set by hand."""
    if alarm.seen is None or alarm.reason_data is None:
        return []
    try:
        return [
            {
                "Arn": child["arn"],
                "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]},
            }
            for child in orjson.loads(alarm.reason_data)["triggeringAlarms"]
        ]
    except (KeyError, TypeError):
        return []


def _trigger(settings: Mapping[str, Any]) -> dict[str, Any]:
    trigger: dict[str, Any] = {}
    if "Metrics" not in settings:
        trigger = {name: settings[name] for name in ("MetricName", "Namespace") if name in settings}
        if "Statistic" in settings:
            trigger |= {"StatisticType": "Statistic", "Statistic": _snake(settings["Statistic"])}
        else:
            trigger |= {
                "StatisticType": "ExtendedStatistic",
                "ExtendedStatistic": settings.get("ExtendedStatistic"),
            }
        trigger |= {"Unit": settings.get("Unit"), "Dimensions": _dimensions(settings)}
    trigger |= {name: settings[name] for name in _TRIGGER if name in settings}
    trigger |= {
        "TreatMissingData": settings.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in settings:
        trigger["Metrics"] = [_metric_of_topic(query) for query in settings["Metrics"]]
    return trigger


def _snake(statistic: str) -> str:
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()


def _dimensions(metric: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"value": one["Value"], "name": one["Name"]} for one in metric.get("Dimensions") or ()]


def _metric_of_topic(query: Mapping[str, Any]) -> dict[str, Any]:
    told = {"ReturnData": True, **query}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        told["MetricStat"] = {**stat, "Metric": {**stat["Metric"], "Dimensions": _dimensions(stat["Metric"])}}
    return told


def _for_function(alarm: Alarm, before: Alarm, now: float) -> dict[str, Any]:
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn(partition_of(alarm.region)),
        "accountId": alarm.account_id,
        "time": moment_text(now),
        "region": alarm.region,
        "alarmData": _data(alarm, before),
    }


def _data(alarm: Alarm, before: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    configuration = {told: settings[name] for name, told in _CONFIGURATION.items() if name in settings}
    if not alarm.is_composite:
        configuration["metrics"] = [_metric_of_function(query) for query in _queries(settings)]
    return {
        "alarmName": alarm.name,
        "state": _state(alarm),
        "previousState": _state(before),
        "configuration": configuration,
    }


def _state(alarm: Alarm) -> dict[str, Any]:
    told: dict[str, Any] = {"value": alarm.state, "reason": alarm.reason}
    if alarm.reason_data is not None:
        told["reasonData"] = alarm.reason_data
    told["timestamp"] = moment_text(alarm.updated_at)
    if alarm.suppressed_by is not None:
        told["actionsSuppressedBy"] = alarm.suppressed_by
        told["actionsSuppressedReason"] = alarm.suppressed_reason
    return told


def _queries(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """An alarm on one metric is told as a query with an id of its own."""
    if "Metrics" in settings:
        return list(settings["Metrics"])
    stat = {
        "Metric": settings,
        "Period": settings["Period"],
        "Stat": settings.get("Statistic") or settings["ExtendedStatistic"],
        **({"Unit": settings["Unit"]} if "Unit" in settings else {}),
    }
    return [{"Id": new_uuid(), "MetricStat": stat}]


def _metric_of_function(query: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": query["Id"]}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        told["metricStat"] = {
            "metric": {
                "namespace": stat["Metric"].get("Namespace"),
                "name": stat["Metric"].get("MetricName"),
                "dimensions": {one["Name"]: one["Value"] for one in stat["Metric"].get("Dimensions") or ()},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
            **({"unit": stat["Unit"]} if "Unit" in stat else {}),
        }
    for name in ("Expression", "Label", "Period"):
        if name in query:
            told[name.lower()] = query[name]
    return {**told, "returnData": query.get("ReturnData", True)}
