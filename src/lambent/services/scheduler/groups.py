"""Schedule groups: CreateScheduleGroup, GetScheduleGroup, ListScheduleGroups, DeleteScheduleGroup, and their tags."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.schedule_record import DEFAULT_GROUP, ScheduleGroup, ScheduleRecord, group_arn
from lambent.model.service import Operation
from lambent.services.scheduler.errors import ConflictException, ServiceQuotaExceededException, no_group
from lambent.services.scheduler.pages import page
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_ATTEMPTS = 20
_BATCH = 100
_TAGS_MOST = 50
_ARN = "schedule-group/"


class Groups:
    def __init__(
        self, groups: NamedRecords[ScheduleGroup], schedules: NamedRecords[ScheduleRecord], clock: Clock
    ) -> None:
        self._groups = groups
        self._schedules = schedules
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateScheduleGroup": self.create,
            "GetScheduleGroup": self.get,
            "ListScheduleGroups": self.list,
            "DeleteScheduleGroup": self.delete,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = group_name(caller, parameters["Name"])
        now = self._clock.now()
        group = ScheduleGroup(
            name=name.name,
            tags=_tags({}, parameters.get("Tags", ())),
            client_token=parameters.get("ClientToken"),
            created_at=now,
            modified_at=now,
        )
        try:
            await self._groups.insert(name, group)
        except AlreadyExistsError:
            found = await self.require(name)
            if found.client_token is None or found.client_token != group.client_token:
                raise ConflictException(f"Schedule group {name.name} already exists.") from None
        return {"ScheduleGroupArn": _arn(caller, name.name)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return _members(await self.require(group_name(caller, parameters["Name"])), caller)

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self.require(group_name(caller, DEFAULT_GROUP))
        found, paging = await page(
            parameters,
            lambda after, limit: self._groups.page(
                caller.account_id,
                caller.region,
                prefix=parameters.get("NamePrefix", ""),
                after=after,
                limit=limit,
            ),
        )
        return {"ScheduleGroups": [_members(group, caller) for _, group in found], **paging}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """With its schedules: first it says that it is going, so that nothing is put into it meanwhile."""
        name = group_name(caller, parameters["Name"])
        if name.name == DEFAULT_GROUP:
            raise ValidationException("The default schedule group cannot be deleted.")
        await self._change(name, lambda group: replace(group, state="DELETING"))
        while found := await self._schedules.page(
            name.account_id, name.region, parent=name.name, limit=_BATCH
        ):
            for schedule, _ in found:
                await _gone(self._schedules, schedule)
        await _gone(self._groups, name)
        return {}

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parameters["Tags"]
        await self._change(
            _of_arn(caller, parameters["ResourceArn"]),
            lambda group: replace(group, tags=_tags(group.tags, added)),
        )
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        gone = set(parameters["TagKeys"])

        def edit(group: ScheduleGroup) -> ScheduleGroup:
            kept = {key: value for key, value in group.tags.items() if key not in gone}
            return replace(group, tags=kept)

        await self._change(_of_arn(caller, parameters["ResourceArn"]), edit)
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self.require(_of_arn(caller, parameters["ResourceArn"]))
        return {"Tags": [{"Key": key, "Value": value} for key, value in group.tags.items()]}

    async def require(self, name: Name) -> ScheduleGroup:
        """Raises ResourceNotFoundException. The default group is made when it is first looked for."""
        group = await self._groups.get(name)
        if group is None and name.name == DEFAULT_GROUP:
            now = self._clock.now()
            group = ScheduleGroup(name=DEFAULT_GROUP, created_at=now, modified_at=now)
            try:
                await self._groups.insert(name, group)
            except AlreadyExistsError:
                group = await self._groups.get(name)
        if group is None:
            raise no_group(name.name)
        return group

    async def _change(self, name: Name, edit: Callable[[ScheduleGroup], ScheduleGroup]) -> None:
        for _ in range(_ATTEMPTS):
            previous = await self.require(name)
            group = replace(edit(previous), modified_at=self._clock.now())
            try:
                return await self._groups.replace(name, group, previous=previous)
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise no_group(name.name) from None
        raise ConflictException(f"Schedule group {name.name} is being modified by other requests.")


def group_name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


async def _gone(records: NamedRecords[Any], name: Name) -> None:
    try:
        await records.delete(name)
    except NotFoundError:
        return


def _of_arn(caller: Caller, text: str) -> Name:
    """Raises ResourceNotFoundException for another account's."""
    arn = Arn.parse(text)  # the model's pattern has been satisfied
    name = arn.resource.removeprefix(_ARN)
    if arn.account_id != caller.account_id:
        raise no_group(name)
    return Name(arn.account_id, arn.region, "", name)


def _arn(caller: Caller, name: str) -> str:
    return group_arn(caller.partition, caller.region, caller.account_id, name)


def _members(group: ScheduleGroup, caller: Caller) -> Parameters:
    return {
        "Arn": _arn(caller, group.name),
        "Name": group.name,
        "State": group.state,
        "CreationDate": group.created_at,
        "LastModificationDate": group.modified_at,
    }


def _tags(tags: Mapping[str, str], added: Iterable[Mapping[str, str]]) -> dict[str, str]:
    merged = {**tags, **{tag["Key"]: tag["Value"] for tag in added}}
    if any(key.lower().startswith("aws:") for key in merged):
        raise ValidationException("Tag keys that begin with aws: are reserved for system use.")
    if len(merged) > _TAGS_MOST:
        raise ServiceQuotaExceededException(f"A resource can have at most {_TAGS_MOST} tags.")
    return merged
