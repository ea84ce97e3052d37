"""Alarms: PutMetricAlarm, PutCompositeAlarm, DeleteAlarms, SetAlarmState, EnableAlarmActions, DisableAlarmActions, and
their tags. `described_alarms` answers what there is.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.alarm import ACTIONS, COMPOSITE, Alarm, AlarmHistoryItem
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.service import Operation
from lambent.services.cloudwatch.alarm_changes import AlarmChanges, note, refers_to
from lambent.services.cloudwatch.alarm_runs import AlarmRuns, next_look, queries_of
from lambent.services.cloudwatch.alarm_settings import banded_metrics, check_alarm
from lambent.services.cloudwatch.anomalies.detectors import Detectors
from lambent.services.cloudwatch.composite_alarms import SETTINGS as COMPOSITE_SETTINGS
from lambent.services.cloudwatch.composite_alarms import check_composite
from lambent.services.cloudwatch.errors import (
    InvalidFormatFault,
    InvalidParameterValueException,
    ResourceNotFound,
    ResourceNotFoundException,
)
from lambent.services.cloudwatch.queries import period_of
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_SETTINGS = (
    "AlarmDescription",
    "ActionsEnabled",
    *ACTIONS,
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
    "ThresholdMetricId",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
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
        changes: AlarmChanges,
        detectors: Detectors,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._alarms = alarms
        self._history = history
        self._runs = runs
        self._changes = changes
        self._detectors = detectors
        self._clock = clock
        self._wake = wake

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutMetricAlarm": self.put,
            "PutCompositeAlarm": self.put_composite,
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
        made = self._made(caller, parameters, settings)
        now = made.configured_at
        due_at = min(now + 1.0, next_look(now, period_of(queries_of(made))))
        for stat in banded_metrics(settings):
            await self._detectors.ensure(caller, stat)
        await self._put(made, "", due_at)
        return {}

    async def put_composite(self, caller: Caller, parameters: Parameters) -> Parameters:
        await check_composite(self._alarms, caller, parameters)
        settings = {name: parameters[name] for name in COMPOSITE_SETTINGS if name in parameters}
        made = self._made(caller, parameters, settings)
        await self._put(made, COMPOSITE, made.configured_at)
        return {}

    def _made(self, caller: Caller, parameters: Parameters, settings: Mapping[str, Any]) -> Alarm:
        now = self._clock.now()
        return Alarm(
            name=parameters["AlarmName"],
            account_id=caller.account_id,
            region=caller.region,
            settings=settings,
            configured_at=now,
            tags={one["Key"]: one["Value"] for one in parameters.get("Tags", ())},
            updated_at=now,
            transitioned_at=now,
        )

    async def _put(self, made: Alarm, parent: str, due_at: float) -> None:
        """What is there already keeps its state and its tags. An alarm of the other kind is in the way."""
        name = Name(made.account_id, made.region, parent, made.name)
        other = Name(made.account_id, made.region, "" if parent else COMPOSITE, made.name)
        if (found := await self._alarms.get(other)) is not None:
            raise ValidationException(f"{made.name} is already in use by a {found.kind}.")
        change = "Create"
        try:
            await self._alarms.insert(name, made, due_at=due_at)
        except AlreadyExistsError:
            change = "Update"
            await self._change(
                name,
                lambda alarm: replace(
                    alarm, settings=made.settings, configured_at=made.configured_at, seen=None
                ),
                due_at,
            )
        summary = f'Alarm "{made.name}" {change.lower()}d'
        data = {"version": "1.0", "type": change}
        await note(
            self._history,
            made,
            "ConfigurationUpdate",
            summary,
            orjson.dumps(data).decode(),
            made.configured_at,
        )
        self._wake()

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """All of them, or none where one is not there, or is in the rule of another."""
        found = [await self._require(caller, name) for name in parameters["AlarmNames"]]
        gone = {name.name for name, _ in found}
        composites = await self._changes.composites(caller.account_id, caller.region)
        needed = [
            name.name
            for name, alarm in found
            if any(refers_to(one, alarm) for _, one in composites if one.name not in gone)
        ]
        if needed:
            raise ValidationException(
                f"Cannot delete {','.join(needed)} as there are composite alarm(s) depending on "
                f"{'it' if len(needed) == 1 else 'them'}."
            )
        for name, _ in found:
            with contextlib.suppress(NotFoundError):  # somebody else did
                await self._alarms.delete(name)
        return {}

    async def set_state(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Until the alarm is looked at again."""
        data = parameters.get("StateReasonData")
        if data is not None:
            try:
                orjson.loads(data)
            except orjson.JSONDecodeError:
                raise InvalidFormatFault("StateReasonData is not valid JSON") from None
        for _ in range(_ATTEMPTS):
            name, alarm = await self._require(caller, parameters["AlarmName"])
            try:
                await self._runs.set(name, alarm, parameters["StateValue"], parameters["StateReason"], data)
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise ResourceNotFound("") from None
            self._wake()
            return {}
        raise AssertionError(f"the alarm {parameters['AlarmName']} changes all the time")

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

        name, _ = await self._of_arn(caller, parameters["ResourceARN"])
        await self._change(name, tagged)
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        gone = set(parameters["TagKeys"])
        name, _ = await self._of_arn(caller, parameters["ResourceARN"])
        await self._change(
            name, lambda alarm: replace(alarm, tags={k: v for k, v in alarm.tags.items() if k not in gone})
        )
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        _, alarm = await self._of_arn(caller, parameters["ResourceARN"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in alarm.tags.items()]}

    async def _switch(self, caller: Caller, names: Sequence[str], *, enabled: bool) -> Parameters:
        """As AWS: names of alarms that are not there mean nothing."""
        for text in names:
            if (found := await self._find(caller, text)) is not None:
                await self._change(
                    found[0],
                    lambda alarm: replace(alarm, settings={**alarm.settings, "ActionsEnabled": enabled}),
                )
        return {}

    async def _change(
        self, name: Name, change: Callable[[Alarm], Alarm], due_at: float | None = None
    ) -> None:
        for _ in range(_ATTEMPTS):
            alarm = await self._alarms.get(name)
            if alarm is None:
                break
            try:
                await self._alarms.replace(
                    name, change(alarm), previous=alarm, due_at=due_at, keeps_due=due_at is None
                )
            except StaleRevisionError:
                continue
            except NotFoundError:
                break
            return
        raise ResourceNotFound("")

    async def _find(self, caller: Caller, text: str) -> tuple[Name, Alarm] | None:
        for parent in ("", COMPOSITE):
            name = Name(caller.account_id, caller.region, parent, text)
            if (alarm := await self._alarms.get(name)) is not None:
                return name, alarm
        return None

    async def _require(self, caller: Caller, text: str) -> tuple[Name, Alarm]:
        found = await self._find(caller, text)
        if found is None:
            raise ResourceNotFound("")
        return found

    async def _of_arn(self, caller: Caller, text: str) -> tuple[Name, Alarm]:
        try:
            arn = Arn.parse(text)
        except ValueError:
            raise InvalidParameterValueException(f"{text} is not an ARN.") from None
        kind, _, name = arn.resource.partition(":")
        found = await self._find(caller, name)
        if arn.account_id != caller.account_id or kind != "alarm" or found is None:
            raise ResourceNotFoundException(f"{text} does not exist.")
        return found
