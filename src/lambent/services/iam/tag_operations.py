"""Tag…, Untag… and List…Tags of what has tags and is found by its name: roles, users, instance profiles."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.model.user import InstanceProfile, User
from lambent.services.iam.holders import Holders
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.tags import parse_tags, tag_members, with_tags, without_tags

T = TypeVar("T", Role, User, InstanceProfile)


class TagOperations(Generic[T]):
    def __init__(self, tagged: Holders[T]) -> None:
        self._tagged: Holders[T] = tagged
        self._name = f"{tagged.kind}Name"

    def operations(self) -> Mapping[str, Operation]:
        kind = self._tagged.kind
        return {f"Tag{kind}": self.tag, f"Untag{kind}": self.untag, f"List{kind}Tags": self.list}

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parse_tags(parameters["Tags"])

        def edit(tagged: T) -> T:
            return replace(tagged, tags=with_tags(tagged.tags, added))

        await self._tagged.change(caller, parameters[self._name], edit)
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(tagged: T) -> T:
            return replace(tagged, tags=without_tags(tagged.tags, parameters["TagKeys"]))

        await self._tagged.change(caller, parameters[self._name], edit)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        tagged = await self._tagged.find(caller, parameters[self._name])
        keys, paging = await page(parameters, in_order(tagged.tags, str, position(parameters)), str)
        return {"Tags": tag_members({key: tagged.tags[key] for key in keys}), **paging}
