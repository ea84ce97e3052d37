"""Tags of Lambda's resources: TagResource, UntagResource, ListTags, for whichever kind the ARN is of."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol
from weakref import WeakValueDictionary

from lambent.base.arn import Arn
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.errors import function_not_found, not_offered
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_reference
from lambent.services.lambda_.tag_rules import require_tags
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.functions import FunctionStore


class Tagged(Protocol):
    """Resources of one kind, by ARN. Both raise ResourceNotFoundException."""

    async def get_tags(self, caller: Caller, arn: str) -> Mapping[str, str]: ...

    async def put_tags(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> None: ...


class Tags:
    """`kinds` are by what the resource part of an ARN begins with: "function", "code-signing-config"."""

    def __init__(self, kinds: Mapping[str, Tagged]) -> None:
        self._kinds = kinds
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        if not parameters["Tags"]:
            raise InvalidParameterValueException("An error occurred and the request cannot be processed.")
        arn = parameters["Resource"]
        kind = self._kind(arn)
        async with self._locks.setdefault(arn, asyncio.Lock()):
            tags = await kind.get_tags(caller, arn)
            await kind.put_tags(caller, arn, require_tags({**tags, **parameters["Tags"]}))
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["Resource"]
        kind = self._kind(arn)
        gone = set(parameters["TagKeys"])
        async with self._locks.setdefault(arn, asyncio.Lock()):
            tags = await kind.get_tags(caller, arn)
            await kind.put_tags(caller, arn, {key: value for key, value in tags.items() if key not in gone})
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["Resource"]
        return {"Tags": dict(await self._kind(arn).get_tags(caller, arn))}

    def _kind(self, arn: str) -> Tagged:
        name = Arn.parse(arn).resource.partition(":")[0]
        kind = self._kinds.get(name)
        if kind is None:
            raise not_offered(f"tags of {name} resources")
        return kind


class FunctionTags:
    def __init__(self, store: FunctionStore, records: FunctionRecords) -> None:
        self._store = store
        self._records = records

    async def get_tags(self, caller: Caller, arn: str) -> Mapping[str, str]:
        return (await self._records.get(_function(caller, arn))).tags

    async def put_tags(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> None:
        """A function has a new revision when its tags change, as at AWS."""
        id = _function(caller, arn)
        async with self._records.lock(id):
            function = await self._records.get(id)
            latest = replace(function.latest, revision_id=new_uuid())
            changed = replace(function, tags=dict(tags), latest=latest)
            try:
                await self._store.replace(changed, expected_revision_id=function.latest.revision_id)
            except NotFoundError as error:
                raise function_not_found(id) from error


def _function(caller: Caller, arn: str) -> FunctionId:
    reference = resolve_reference(caller, "TagResource", arn)
    if reference.qualifier is not None:
        raise InvalidParameterValueException(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return reference.function
