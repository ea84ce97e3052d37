"""Alarms on metrics: PutMetricAlarm, DescribeAlarms, DescribeAlarmsForMetric, DeleteAlarms, SetAlarmState,
EnableAlarmActions, DisableAlarmActions, and their tags.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.model.alarm import Alarm, AlarmHistoryItem
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.service import Operation
from lambent.services.cloudwatch.alarm_runs import AlarmRuns, next_look, note, queries_of
from lambent.services.cloudwatch.alarm_settings import ACTIONS, check_alarm
from lambent.services.cloudwatch.errors import (
    InvalidFormatFault,
    InvalidParameterValueException,
    ResourceNotFound,
    ResourceNotFoundException,
)
from lambent.services.cloudwatch.input import dimensions_of
from lambent.services.cloudwatch.paging import paged
from lambent.services.cloudwatch.queries import period_of
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_SETTINGS = (
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "Metrics",
)
_ATTEMPTS = 20
_TAGS_MOST = 50


class Alarms:
    def __init__(
        self,
        alarms: NamedRecords[Alarm],
        history: NamedRecords[AlarmHistoryItem],
        runs: AlarmRuns,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._alarms = alarms
        self._history = history
        self._runs = runs
        self._clock = clock
        self._wake = wake

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutMetricAlarm": self.put,
            "DescribeAlarms": self.describe,
            "DescribeAlarmsForMetric": self.describe_for_metric,
            "DeleteAlarms": self.delete,
            "SetAlarmState": self.set_state,
            "EnableAlarmActions": self.enable_actions,
            "DisableAlarmActions": self.disable_actions,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        settings = {name: parameters[name] for name in _SETTINGS if name in parameters}
        check_alarm(parameters)
        now = self._clock.now()
        name = _name(caller, parameters["AlarmName"])
        tags = {one["Key"]: one["Value"] for one in parameters.get("Tags", ())}
        made = Alarm(
            name=name.name,
            account_id=caller.account_id,
            region=caller.region,
            settings=settings,
            configured_at=now,
            tags=tags,
            updated_at=now,
            transitioned_at=now,
        )
        due_at = min(now + 1.0, next_look(now, period_of(queries_of(made))))
        try:
            await self._alarms.insert(name, made, due_at=due_at)
            summary = f'Alarm "{name.name}" created'
        except AlreadyExistsError:
            await self._change(
                name, lambda alarm: replace(alarm, settings=settings, configured_at=now), due_at
            )
            summary = f'Alarm "{name.name}" updated'
        data = {"version": "1.0", "type": "Create" if "created" in summary else "Update"}
        await note(self._history, made, "ConfigurationUpdate", summary, orjson.dumps(data).decode(), now)
        self._wake()
        return {}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        names = parameters.get("AlarmNames")
        if names is not None and "AlarmNamePrefix" in parameters:
            raise ValidationException(
                "AlarmNamePrefix and AlarmNames are mutually exclusive and you have specified both."
            )
        types = parameters.get("AlarmTypes", ["MetricAlarm"])
        if "MetricAlarm" not in types:
            return {"MetricAlarms": [], "CompositeAlarms": []}

        def wanted(alarm: Alarm) -> bool:
            return (
                (names is None or alarm.name in names)
                and parameters.get("StateValue") in (None, alarm.state)
                and any(
                    action.startswith(parameters.get("ActionPrefix", ""))
                    for action in alarm.actions("ALARM") or [""]
                )
            )

        found, paging = await paged(
            parameters,
            lambda after, limit: self._alarms.page(
                caller.account_id,
                caller.region,
                prefix=parameters.get("AlarmNamePrefix", ""),
                after=after,
                limit=limit,
            ),
            wanted,
        )
        return {"MetricAlarms": [described(alarm) for alarm in found], "CompositeAlarms": [], **paging}

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
                caller.account_id, caller.region, after=after, limit=limit
            ),
            wanted,
        )
        return {"MetricAlarms": [described(alarm) for alarm in found]}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """All of them, or none where one is not there."""
        names = [_name(caller, name) for name in parameters["AlarmNames"]]
        for name in names:
            await self._require(name)
        for name in names:
            try:
                await self._alarms.delete(name)
            except NotFoundError:
                continue  # somebody else did
        return {}

    async def set_state(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Until the alarm is looked at again."""
        name = _name(caller, parameters["AlarmName"])
        data = parameters.get("StateReasonData")
        if data is not None:
            try:
                json.loads(data)
            except ValueError:
                raise InvalidFormatFault("StateReasonData is not valid JSON") from None
        for _ in range(_ATTEMPTS):
            alarm = await self._require(name)
            due_at = next_look(self._clock.now(), period_of(queries_of(alarm)))
            try:
                await self._runs.enter(
                    name, alarm, parameters["StateValue"], parameters["StateReason"], data, due_at
                )
            except StaleRevisionError:
                continue
            return {}
        raise AssertionError(f"the alarm {name.name} changes all the time")

    async def enable_actions(self, caller: Caller, parameters: Parameters) -> Parameters:
        return await self._switch(caller, parameters["AlarmNames"], enabled=True)

    async def disable_actions(self, caller: Caller, parameters: Parameters) -> Parameters:
        return await self._switch(caller, parameters["AlarmNames"], enabled=False)

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = {one["Key"]: one["Value"] for one in parameters["Tags"]}

        def tagged(alarm: Alarm) -> Alarm:
            tags = {**alarm.tags, **added}
            if len(tags) > _TAGS_MOST:
                raise InvalidParameterValueException(f"An alarm has at most {_TAGS_MOST} tags.")
            return replace(alarm, tags=tags)

        await self._change(await self._of_arn(caller, parameters["ResourceARN"]), tagged)
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        gone = set(parameters["TagKeys"])
        await self._change(
            await self._of_arn(caller, parameters["ResourceARN"]),
            lambda alarm: replace(alarm, tags={k: v for k, v in alarm.tags.items() if k not in gone}),
        )
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        alarm = await self._require(await self._of_arn(caller, parameters["ResourceARN"]))
        return {"Tags": [{"Key": key, "Value": value} for key, value in alarm.tags.items()]}

    async def _switch(self, caller: Caller, names: Sequence[str], *, enabled: bool) -> Parameters:
        """As AWS: names of alarms that are not there mean nothing."""
        for text in names:
            name = _name(caller, text)
            if await self._alarms.get(name) is not None:
                await self._change(
                    name,
                    lambda alarm: replace(alarm, settings={**alarm.settings, "ActionsEnabled": enabled}),
                )
        return {}

    async def _change(
        self, name: Name, change: Callable[[Alarm], Alarm], due_at: float | None = None
    ) -> None:
        for _ in range(_ATTEMPTS):
            alarm = await self._require(name)
            try:
                await self._alarms.replace(
                    name, change(alarm), previous=alarm, due_at=due_at, keeps_due=due_at is None
                )
            except StaleRevisionError:
                continue
            except NotFoundError:
                break
            return
        raise ResourceNotFound(f"The alarm {name.name} does not exist.")

    async def _require(self, name: Name) -> Alarm:
        alarm = await self._alarms.get(name)
        if alarm is None:
            raise ResourceNotFound(f"The alarm {name.name} does not exist.")
        return alarm

    async def _of_arn(self, caller: Caller, text: str) -> Name:
        try:
            arn = Arn.parse(text)
        except ValueError:
            raise InvalidParameterValueException(f"{text} is not an ARN.") from None
        kind, _, name = arn.resource.partition(":")
        found = _name(caller, name)
        if arn.account_id != caller.account_id or kind != "alarm" or await self._alarms.get(found) is None:
            raise ResourceNotFoundException(f"{text} does not exist.")
        return found


def described(alarm: Alarm) -> Parameters:
    settings = dict(alarm.settings)
    if "Metrics" not in settings:
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
    return answer


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)
