"""Tags of repositories: TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lambent.base.arn import Arn
from lambent.model.caller import Caller, Parameters
from lambent.model.repository import Repository
from lambent.model.service import Operation
from lambent.services.ecr.errors import (
    InvalidParameterException,
    InvalidTagParameterException,
    RepositoryNotFoundException,
    TooManyTagsException,
)
from lambent.services.ecr.registry import Registry

_MOST = 50


def require_tags(current: Mapping[str, str], given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """All tags that a repository would have. Raises InvalidTagParameterException, TooManyTagsException."""
    if any(tag["Key"].lower().startswith("aws:") for tag in given):
        raise InvalidTagParameterException("Tag keys that begin with aws: are reserved for system use.")
    tags = {**current, **{tag["Key"]: tag["Value"] for tag in given}}
    if len(tags) > _MOST:
        raise TooManyTagsException(f"A repository can have at most {_MOST} tags.")
    return tags


class Tags:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list,
        }

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._repository(caller, parameters["resourceArn"])
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            tags = require_tags(current.tags, parameters["tags"])
            await self._registry.replace(current, replace(current, tags=tags))
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._repository(caller, parameters["resourceArn"])
        gone = frozenset(parameters["tagKeys"])
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            tags = {key: value for key, value in current.tags.items() if key not in gone}
            await self._registry.replace(current, replace(current, tags=tags))
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._repository(caller, parameters["resourceArn"])
        return {"tags": [{"Key": key, "Value": value} for key, value in repository.tags.items()]}

    async def _repository(self, caller: Caller, text: str) -> Repository:
        try:
            arn = Arn.parse(text)
        except ValueError as error:
            raise _invalid(text) from error
        kind, _, name = arn.resource.partition("/")
        if arn.service != "ecr" or kind != "repository" or arn.region != caller.region:
            raise _invalid(text)
        repository = await self._registry.find(arn.account_id, arn.region, name)
        if repository is None:
            raise RepositoryNotFoundException(name, arn.account_id)
        return repository


def _invalid(text: str) -> InvalidParameterException:
    return InvalidParameterException.constraint("resourceArn", f"Invalid ARN: {text}")
