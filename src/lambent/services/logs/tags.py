"""Tags of log groups, by ARN (TagResource…) and in the older form by name (TagLogGroup…)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.services.logs.arns import group_name
from lambent.services.logs.exceptions import InvalidParameterException, TooManyTagsException
from lambent.services.logs.groups import Groups
from lambent.store.ports.logs import LogGroup

_TAGS_MOST = 50


class TagOperations:
    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    async def tag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["resourceArn"]
        await self._tag(caller, _named(caller, arn), parameters["tags"], resource=arn)
        return {}

    async def untag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._untag(caller, _named(caller, parameters["resourceArn"]), parameters["tagKeys"])
        return {}

    async def list_tags_for_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, _named(caller, parameters["resourceArn"]))
        return {"tags": dict(group.tags)}

    async def tag_log_group(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._tag(caller, parameters["logGroupName"], parameters["tags"])
        return {}

    async def untag_log_group(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._untag(caller, parameters["logGroupName"], parameters["tags"])
        return {}

    async def list_tags_log_group(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        return {"tags": dict(group.tags)}

    async def _tag(
        self, caller: Caller, name: str, tags: Mapping[str, str], resource: str | None = None
    ) -> None:
        if any(key.lower().startswith("aws:") for key in tags):
            raise InvalidParameterException("Tag keys starting with 'aws:' are reserved for system use.")

        def tagged(group: LogGroup) -> LogGroup:
            merged = {**group.tags, **tags}
            if len(merged) > _TAGS_MOST:
                text = f"A resource can have at most {_TAGS_MOST} tags."
                if resource is None:  # the older operation's model has no TooManyTagsException
                    raise InvalidParameterException(text)
                raise TooManyTagsException(text, members={"resourceName": resource})
            return replace(group, tags=merged)

        await self._groups.change(caller, name, tagged)

    async def _untag(self, caller: Caller, name: str, keys: Iterable[str]) -> None:
        gone = set(keys)
        await self._groups.change(
            caller,
            name,
            lambda group: replace(
                group, tags={key: value for key, value in group.tags.items() if key not in gone}
            ),
        )


def _named(caller: Caller, arn: str) -> str:
    if not arn.startswith("arn:"):
        raise InvalidParameterException(f"The specified ARN is invalid: {arn}")
    return group_name(caller, arn)
