"""Tags of keys: TagResource, UntagResource, ListResourceTags."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.kms.errors import TagException
from lambent.services.kms.key_reference import find_key, require_present
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.pages import page

_MOST = 50


def require_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """All tags that a key would have. Raises TagException."""
    if len(tags) > _MOST:
        raise TagException("Too many tags")
    if any(name.startswith("aws:") for name in tags):
        raise TagException("Tags beginning with aws: are reserved")
    return dict(tags)


class Tags:
    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListResourceTags": self.list,
        }

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        given = {tag["TagKey"]: tag["TagValue"] for tag in parameters["Tags"]}
        await self._change(caller, parameters["KeyId"], given, frozenset())
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._change(caller, parameters["KeyId"], {}, frozenset(parameters["TagKeys"]))
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = find_key(self._ring, caller, parameters["KeyId"])

        def describe(tag: tuple[str, str]) -> Parameters:
            return {"TagKey": tag[0], "TagValue": tag[1]}

        return page(parameters, sorted(key.tags.items()), lambda tag: tag[0], "Tags", describe, most=50)

    async def _change(
        self, caller: Caller, key_id: str, given: Mapping[str, str], gone: frozenset[str]
    ) -> None:
        key = require_present(find_key(self._ring, caller, key_id))
        async with self._ring.lock(key.id):
            current = self._ring.key(key.id) or key
            kept = {name: value for name, value in current.tags.items() if name not in gone}
            await self._ring.put(replace(current, tags=require_tags({**kept, **given})))
