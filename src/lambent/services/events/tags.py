"""Tags of buses and rules: TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.service import Operation
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import LimitExceededException
from lambent.services.events.names import bus_of_arn, is_bus_arn, rule_of_arn

_TAGS_MOST = 50

TagMap = Mapping[str, str]


class Tags:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    async def tag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._change(parameters["ResourceARN"], added=parse_tags(parameters["Tags"]))
        return {}

    async def untag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._change(parameters["ResourceARN"], removed=parameters["TagKeys"])
        return {}

    async def list_tags_for_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["ResourceARN"]
        if is_bus_arn(arn):
            tags = (await self._catalog.require_bus(bus_of_arn(arn, "ResourceARN"))).tags
        else:
            tags = (await self._catalog.require_rule(rule_of_arn(arn))).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    async def _change(self, arn: str, added: TagMap | None = None, removed: Iterable[str] = ()) -> None:
        gone = set(removed)

        def changed(tags: TagMap) -> TagMap:
            kept = {key: value for key, value in tags.items() if key not in gone} | dict(added or {})
            if len(kept) > _TAGS_MOST:
                raise LimitExceededException("The requested resource exceeds the maximum number allowed.")
            return kept

        if is_bus_arn(arn):
            bus = bus_of_arn(arn, "ResourceARN")
            await self._catalog.change_bus(bus, lambda old: replace(old, tags=changed(old.tags)))
        else:
            rule = rule_of_arn(arn)
            await self._catalog.change_rule(rule, lambda old: replace(old, tags=changed(old.tags)))


def parse_tags(members: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Raises ValidationException for AWS's own keys, LimitExceededException for too many."""
    tags = {member["Key"]: member["Value"] for member in members}
    if any(key.lower().startswith("aws:") for key in tags):
        raise ValidationException("aws: prefixed tag key names are not allowed for external use.")
    if len(tags) > _TAGS_MOST:
        raise LimitExceededException("The requested resource exceeds the maximum number allowed.")
    return tags
