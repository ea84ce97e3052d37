"""Schedules: CreateSchedule, GetSchedule, UpdateSchedule, DeleteSchedule, ListSchedules.

Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters, PassRole, RoleCallers
from lambent.model.error import AccessDeniedException, ValidationException
from lambent.model.schedule_record import DEFAULT_GROUP, ScheduleRecord, group_arn
from lambent.model.service import Operation
from lambent.services.scheduler.errors import ConflictException, no_schedule, not_offered
from lambent.services.scheduler.groups import Groups, group_name
from lambent.services.scheduler.pages import page
from lambent.services.scheduler.targets import Targets
from lambent.services.scheduler.times import first_time, is_for_the_same, is_once, parse
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.targets.retries import AGE_MOST_SECONDS, ATTEMPTS_MOST

_SERVICE = "scheduler.amazonaws.com"
_ATTEMPTS = 20
_EARLIEST_START_SECONDS = 300


class Schedules:
    """`wake` is called when something may be due earlier than before."""

    def __init__(
        self,
        schedules: NamedRecords[ScheduleRecord],
        groups: Groups,
        targets: Targets,
        roles: RoleCallers,
        pass_role: PassRole,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._schedules = schedules
        self._groups = groups
        self._targets = targets
        self._roles = roles
        self._pass_role = pass_role
        self._clock = clock
        self._wake = wake

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateSchedule": self.create,
            "GetSchedule": self.get,
            "UpdateSchedule": self.update,
            "DeleteSchedule": self.delete,
            "ListSchedules": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        now = self._clock.now()
        name = _name(caller, parameters)
        record = await self._record(caller, name, parameters, now)
        try:
            await self._schedules.insert(name, record, due_at=first_time(record, now))
        except AlreadyExistsError:
            found = await self._require(name)
            if found.client_token is None or found.client_token != record.client_token:
                raise ConflictException(f"Schedule {name.name} already exists.") from None
        self._wake()
        return {"ScheduleArn": record.arn(caller.partition)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters)
        await self._groups.require(group_name(caller, name.parent))
        return _members(await self._require(name), caller)

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        """What is not given has its default again."""
        now = self._clock.now()
        name = _name(caller, parameters)
        given = await self._record(caller, name, parameters, now)
        for _ in range(_ATTEMPTS):
            previous = await self._require(name)
            counts_on = previous.expression == given.expression and previous.state == "ENABLED"
            record = replace(
                given,
                created_at=previous.created_at,
                client_token=previous.client_token,
                since=previous.since if counts_on else now,
            )
            due_at = first_time(record, now, previous)
            try:
                await self._schedules.replace(
                    name,
                    record,
                    previous=previous,
                    due_at=due_at,
                    keeps_due=_is_due_as_it_was(record, previous),
                )
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise no_schedule(name.name) from None
            self._wake()
            return {"ScheduleArn": record.arn(caller.partition)}
        raise ConflictException(f"Schedule {name.name} is being modified by other requests.")

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters)
        try:
            await self._schedules.delete(name)
        except NotFoundError:
            raise no_schedule(name.name) from None
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        group, state = parameters.get("GroupName"), parameters.get("State")
        if group is not None:
            await self._groups.require(group_name(caller, group))
        found, paging = await page(
            parameters,
            lambda after, limit: self._schedules.page(
                caller.account_id,
                caller.region,
                parent=group,
                prefix=parameters.get("NamePrefix", ""),
                after=after,
                limit=limit,
            ),
            lambda record: state is None or record.state == state,
        )
        return {"Schedules": [_summary(record, caller) for _, record in found], **paging}

    async def _record(self, caller: Caller, name: Name, parameters: Parameters, now: float) -> ScheduleRecord:
        """Raises ValidationException, ResourceNotFoundException (the group)."""
        if "KmsKeyArn" in parameters:
            raise not_offered("customer managed keys for schedules")
        record = ScheduleRecord(
            account_id=name.account_id,
            region=name.region,
            group=name.parent,
            name=name.name,
            expression=parameters["ScheduleExpression"],
            time_zone=parameters.get("ScheduleExpressionTimezone", "UTC"),
            start=_moment(parameters.get("StartDate")),
            end=_moment(parameters.get("EndDate")),
            since=now,
            description=parameters.get("Description"),
            state=parameters.get("State", "ENABLED"),
            target=_with_retries(parameters["Target"]),
            window=parameters["FlexibleTimeWindow"],
            action_after_completion=parameters.get("ActionAfterCompletion", "NONE"),
            client_token=parameters.get("ClientToken"),
            created_at=now,
            modified_at=now,
        )
        parse(record.expression, record.time_zone)
        _check_times(record, now)
        _check_window(record.window)
        self._targets.check(record.target)
        group = await self._groups.require(group_name(caller, name.parent))
        if group.state == "DELETING":
            raise ConflictException(f"Schedule group {group.name} is being deleted.")
        await self._check_role(caller, record)
        return record

    async def _check_role(self, caller: Caller, record: ScheduleRecord) -> None:
        role = record.target["RoleArn"]
        await self._pass_role(caller, role, _SERVICE)
        try:
            await self._roles.assume(
                role,
                _SERVICE,
                region=record.region,
                session_name=record.name,
                source_arn=group_arn(caller.partition, record.region, record.account_id, record.group),
            )
        except AccessDeniedException:
            raise ValidationException(
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            ) from None

    async def _require(self, name: Name) -> ScheduleRecord:
        record = await self._schedules.get(name)
        if record is None:
            raise no_schedule(name.name)
        return record


def _name(caller: Caller, parameters: Parameters) -> Name:
    return Name(
        caller.account_id, caller.region, parameters.get("GroupName", DEFAULT_GROUP), parameters["Name"]
    )


def _moment(time: datetime | float | None) -> float | None:
    return time.timestamp() if isinstance(time, datetime) else time


def _with_retries(target: Parameters) -> Parameters:
    defaults = {"MaximumEventAgeInSeconds": AGE_MOST_SECONDS, "MaximumRetryAttempts": ATTEMPTS_MOST}
    return {**target, "RetryPolicy": {**defaults, **target.get("RetryPolicy", {})}}


def _check_times(record: ScheduleRecord, now: float) -> None:
    if record.start is not None and record.start < now - _EARLIEST_START_SECONDS:
        raise ValidationException("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if record.end is not None and record.end < now:
        raise ValidationException("The EndDate you specify must come after the current date.")
    if record.start is not None and record.end is not None and record.start >= record.end:
        raise ValidationException("The EndDate you specify must come after the StartDate.")


def _check_window(window: Mapping[str, object]) -> None:
    if window["Mode"] == "FLEXIBLE" and "MaximumWindowInMinutes" not in window:
        raise ValidationException(
            "MaximumWindowInMinutes must be provided when FlexibleTimeWindow is FLEXIBLE."
        )


def _members(record: ScheduleRecord, caller: Caller) -> Parameters:
    members: Parameters = {
        "Arn": record.arn(caller.partition),
        "GroupName": record.group,
        "Name": record.name,
        "ScheduleExpression": record.expression,
        "ScheduleExpressionTimezone": record.time_zone,
        "State": record.state,
        "CreationDate": record.created_at,
        "LastModificationDate": record.modified_at,
        "Target": dict(record.target),
        "FlexibleTimeWindow": dict(record.window),
        "ActionAfterCompletion": record.action_after_completion,
    }
    optional = {"StartDate": record.start, "EndDate": record.end, "Description": record.description}
    members.update({name: value for name, value in optional.items() if value is not None})
    return members


def _summary(record: ScheduleRecord, caller: Caller) -> Parameters:
    return {
        "Arn": record.arn(caller.partition),
        "Name": record.name,
        "GroupName": record.group,
        "State": record.state,
        "CreationDate": record.created_at,
        "LastModificationDate": record.modified_at,
        "Target": {"Arn": record.target["Arn"]},
    }


def _is_due_as_it_was(record: ScheduleRecord, previous: ScheduleRecord) -> bool:
    """What is to run once, and may be about to, is not forgotten for a change of something else."""
    states = (record.state, previous.state)
    return is_once(record) and is_for_the_same(record, previous) and states == ("ENABLED", "ENABLED")
