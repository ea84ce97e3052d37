"""Tags of functions: TagResource, UntagResource, ListTags."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.arn import Arn
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.function import Function, FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.errors import function_not_found, not_offered
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_reference
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.functions import FunctionStore

_MOST = 50
_KEY_LONGEST = 128
_VALUE_LONGEST = 256


def require_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """All tags that a resource would have. Raises InvalidParameterValueException.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html"""
    if len(tags) > _MOST:
        raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")
    for key, value in tags.items():
        if not 1 <= len(key) <= _KEY_LONGEST:
            raise InvalidParameterValueException(f"Tag key {key!r} must have 1 to {_KEY_LONGEST} characters.")
        if len(value) > _VALUE_LONGEST:
            raise InvalidParameterValueException(
                f"The value of tag {key!r} must have at most {_VALUE_LONGEST} characters."
            )
        if key.lower().startswith("aws:"):
            raise InvalidParameterValueException(
                f"Tag key {key!r} begins with aws:, which is reserved for AWS."
            )
    return dict(tags)


class Tags:
    def __init__(self, store: FunctionStore, records: FunctionRecords) -> None:
        self._store = store
        self._records = records

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        if not parameters["Tags"]:
            raise InvalidParameterValueException("An error occurred and the request cannot be processed.")
        id = _function(caller, "TagResource", parameters["Resource"])
        async with self._records.lock(id):
            function = await self._records.get(id)
            await self._replace(function, require_tags({**function.tags, **parameters["Tags"]}))
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = _function(caller, "UntagResource", parameters["Resource"])
        async with self._records.lock(id):
            function = await self._records.get(id)
            gone = set(parameters["TagKeys"])
            await self._replace(
                function, {key: value for key, value in function.tags.items() if key not in gone}
            )
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        function = await self._records.get(_function(caller, "ListTags", parameters["Resource"]))
        return {"Tags": dict(function.tags)}

    async def _replace(self, function: Function, tags: dict[str, str]) -> None:
        """A function has a new revision when its tags change, as at AWS."""
        latest = replace(function.latest, revision_id=new_uuid())
        try:
            await self._store.replace(
                replace(function, tags=tags, latest=latest), expected_revision_id=function.latest.revision_id
            )
        except NotFoundError as error:
            raise function_not_found(function.id) from error


def _function(caller: Caller, action: str, arn: str) -> FunctionId:
    resource = Arn.parse(arn).resource
    if not resource.startswith("function:"):
        raise not_offered(f"tags of {resource.partition(':')[0]} resources")
    reference = resolve_reference(caller, action, arn)
    if reference.qualifier is not None:
        raise InvalidParameterValueException(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return reference.function
