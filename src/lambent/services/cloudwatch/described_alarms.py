"""What alarms there are: DescribeAlarms, DescribeAlarmsForMetric.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from lambent.base.arn import partition_of
from lambent.model.alarm import ACTIONS, COMPOSITE, Alarm
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.service import Operation
from lambent.services.cloudwatch.alarm_changes import AlarmChanges, name_in, refers_to
from lambent.services.cloudwatch.alarm_rule import parse_rule
from lambent.services.cloudwatch.errors import ResourceNotFound
from lambent.services.cloudwatch.input import dimensions_of
from lambent.services.cloudwatch.paging import paged
from lambent.store.ports.named_records import Name, NamedRecords

_ALONE = frozenset({"MaxRecords", "NextToken"})
_METRIC = "MetricAlarm"


class DescribedAlarms:
    def __init__(self, alarms: NamedRecords[Alarm], changes: AlarmChanges) -> None:
        self._alarms = alarms
        self._changes = changes

    def operations(self) -> Mapping[str, Operation]:
        return {"DescribeAlarms": self.describe, "DescribeAlarmsForMetric": self.describe_for_metric}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Without AlarmTypes those on metrics."""
        for relation in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
            if relation in parameters:
                _require_alone(relation, parameters)
                return _related(relation, await self._relatives(caller, relation, parameters[relation]))
        names = parameters.get("AlarmNames")
        if names is not None and "AlarmNamePrefix" in parameters:
            raise ValidationException(
                "AlarmNamePrefix and AlarmNames are mutually exclusive and you have specified both."
            )
        types = parameters.get("AlarmTypes") or [_METRIC]

        def wanted(alarm: Alarm) -> bool:
            return (
                alarm.kind in types
                and (names is None or alarm.name in names)
                and parameters.get("StateValue") in (None, alarm.state)
                and _acts_on(alarm, parameters.get("ActionPrefix"))
            )

        found, paging = await paged(
            parameters,
            lambda after, limit: self._alarms.page(
                caller.account_id,
                caller.region,
                parent=None if len(set(types)) > 1 else "" if _METRIC in types else COMPOSITE,
                prefix=parameters.get("AlarmNamePrefix", ""),
                after=after,
                limit=limit,
            ),
            wanted,
        )
        return _answer([described(alarm) for alarm in found], found) | paging

    async def describe_for_metric(self, caller: Caller, parameters: Parameters) -> Parameters:
        def wanted(alarm: Alarm) -> bool:
            settings = alarm.settings
            return (
                dimensions_of(settings) == dimensions_of(parameters)
                and all(settings.get(name) == parameters[name] for name in ("MetricName", "Namespace"))
                and all(
                    parameters.get(name) in (None, settings.get(name))
                    for name in ("Statistic", "ExtendedStatistic", "Period", "Unit")
                )
            )

        found, _ = await paged(
            {"MaxRecords": 10_000},
            lambda after, limit: self._alarms.page(
                caller.account_id, caller.region, parent="", after=after, limit=limit
            ),
            wanted,
        )
        return {"MetricAlarms": [described(alarm) for alarm in found]}

    async def _relatives(self, caller: Caller, relation: str, name: str) -> Sequence[Alarm]:
        alarm = await self._find(caller, name)
        if alarm is None:
            raise ResourceNotFound("")
        if relation == "ParentsOfAlarmName":
            composites = await self._changes.composites(caller.account_id, caller.region)
            return [one for _, one in composites if refers_to(one, alarm)]
        if not alarm.is_composite:
            return ()
        names = [name_in(one) for one in parse_rule(alarm.settings["AlarmRule"]).alarms]
        children = [await self._find(caller, name) for name in dict.fromkeys(names)]
        return [child for child in children if child is not None]

    async def _find(self, caller: Caller, name: str) -> Alarm | None:
        found = await self._alarms.get(Name(caller.account_id, caller.region, "", name))
        return found or await self._alarms.get(Name(caller.account_id, caller.region, COMPOSITE, name))


def _require_alone(relation: str, parameters: Parameters) -> None:
    if parameters.keys() - _ALONE - {relation}:
        raise ValidationException(
            f"When {relation} is specified, no other parameters than MaxRecords and NextToken may be specified."
        )


def _related(relation: str, found: Sequence[Alarm]) -> Parameters:
    """Only what AWS tells of relatives."""
    told = []
    for alarm in found:
        about: Parameters = {"AlarmName": alarm.name, "AlarmArn": alarm.arn(partition_of(alarm.region))}
        if relation == "ChildrenOfAlarmName":
            about |= {
                "StateValue": alarm.state,
                "StateUpdatedTimestamp": datetime.fromtimestamp(alarm.updated_at, UTC),
            }
        told.append(about)
    return _answer(told, found)


def _answer(told: Sequence[Parameters], alarms: Sequence[Alarm]) -> Parameters:
    pairs = list(zip(told, alarms, strict=True))
    return {
        "CompositeAlarms": [about for about, alarm in pairs if alarm.is_composite],
        "MetricAlarms": [about for about, alarm in pairs if not alarm.is_composite],
    }


def _acts_on(alarm: Alarm, prefix: str | None) -> bool:
    if prefix is None:
        return True
    return any(action.startswith(prefix) for name in ACTIONS for action in alarm.settings.get(name, ()))


def described(alarm: Alarm) -> Parameters:
    settings = dict(alarm.settings)
    if "Metrics" not in settings and not alarm.is_composite:
        settings.setdefault("Dimensions", [])
    answer: Parameters = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn(partition_of(alarm.region)),
        "AlarmConfigurationUpdatedTimestamp": datetime.fromtimestamp(alarm.configured_at, UTC),
        "ActionsEnabled": alarm.actions_enabled,
        **{name: list(settings.get(name, ())) for name in ACTIONS},
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": datetime.fromtimestamp(alarm.updated_at, UTC),
        "StateTransitionedTimestamp": datetime.fromtimestamp(alarm.transitioned_at, UTC),
        **settings,
    }
    if alarm.reason_data is not None:
        answer["StateReasonData"] = alarm.reason_data
    if alarm.suppressed_by is not None:
        answer |= {
            "ActionsSuppressedBy": alarm.suppressed_by,
            "ActionsSuppressedReason": alarm.suppressed_reason,
        }
    return answer
