"""Repositories: CreateRepository, DescribeRepositories, DeleteRepository, and what is set of them later."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.repository import Repository
from lambent.model.service import Operation
from lambent.services.ecr.errors import (
    InvalidParameterException,
    RepositoryAlreadyExistsException,
    RepositoryNotEmptyException,
    RepositoryNotFoundException,
    not_offered,
)
from lambent.services.ecr.pages import page
from lambent.services.ecr.registry import Registry, name_of, registry_id
from lambent.services.ecr.tags import require_tags
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError

RepositoryUri = Callable[[Repository, Caller], str]
"""How a repository is named to this caller, for pushing and pulling."""


class Repositories:
    def __init__(self, registry: Registry, clock: Clock, uri: RepositoryUri) -> None:
        self._registry = registry
        self._clock = clock
        self._uri = uri

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateRepository": self.create,
            "DescribeRepositories": self.describe,
            "DeleteRepository": self.delete,
            "PutImageTagMutability": self.put_tag_mutability,
            "PutImageScanningConfiguration": self.put_scanning,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        owner, name = registry_id(caller, parameters), parameters["repositoryName"]
        if parameters.get("encryptionConfiguration", {}).get("encryptionType", "AES256") != "AES256":
            raise not_offered("repositories that are encrypted by keys of KMS")
        repository = Repository(
            account_id=owner,
            region=caller.region,
            name=name,
            created_at=round(self._clock.now(), 3),
            scan_on_push=bool(parameters.get("imageScanningConfiguration", {}).get("scanOnPush")),
            tags=require_tags({}, parameters.get("tags", ())),
            **_mutability(parameters),
        )
        try:
            await self._registry.stores.repositories.insert(name_of(repository), repository)
        except AlreadyExistsError as error:
            raise RepositoryAlreadyExistsException(name, owner) from error
        return {"repository": self._described(caller, repository)}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        owner, names = registry_id(caller, parameters), parameters.get("repositoryNames")
        if names:
            found = [await self._registry.find(owner, caller.region, name) for name in names]
            missing = [name for name, repository in zip(names, found, strict=True) if repository is None]
            if missing:
                raise RepositoryNotFoundException(missing[0], owner)
            return {"repositories": [self._described(caller, each) for each in found if each is not None]}
        records = await self._registry.stores.repositories.page(owner, caller.region, limit=100_000)
        entries, more = page(parameters, [(name.name, repository) for name, repository in records])
        return {"repositories": [self._described(caller, repository) for repository in entries], **more}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        registry = self._registry
        repository = await registry.require(caller, parameters)
        async with registry.lock(repository):
            repository = await registry.again(repository)
            images = await registry.images(repository)
            if images and not parameters.get("force"):
                raise RepositoryNotEmptyException(repository.name, repository.account_id)
            # Itself last: after a crash in between there is a repository with less in it.
            for tag in await registry.tags(repository):
                await registry.delete(registry.stores.tags, repository, tag)
            for digest in images:
                await registry.delete(registry.stores.images, repository, digest)
            for digest in await registry.layers(repository):
                await registry.delete(registry.stores.layers, repository, digest)
            try:
                await registry.stores.repositories.delete(name_of(repository))
            except NotFoundError as error:
                raise RepositoryNotFoundException(repository.name, repository.account_id) from error
        described = self._described(caller, repository)
        for member in ("imageScanningConfiguration", "encryptionConfiguration"):
            described.pop(member)
        return {"repository": described}

    async def put_tag_mutability(self, caller: Caller, parameters: Parameters) -> Parameters:
        fields = _mutability(parameters)
        repository = await self._registry.require(caller, parameters)
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            changed = replace(current, **fields)
            await self._registry.replace(current, changed)
        return {**_named(changed), **_described_mutability(changed)}

    async def put_scanning(self, caller: Caller, parameters: Parameters) -> Parameters:
        wanted = bool(parameters["imageScanningConfiguration"].get("scanOnPush"))
        repository = await self._registry.require(caller, parameters)
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            await self._registry.replace(current, replace(current, scan_on_push=wanted))
        return {**_named(current), "imageScanningConfiguration": {"scanOnPush": wanted}}

    def _described(self, caller: Caller, repository: Repository) -> Parameters:
        return {
            "repositoryArn": repository.arn(partition_of(repository.region)),
            **_named(repository),
            "repositoryUri": self._uri(repository, caller),
            "createdAt": repository.created_at,
            **_described_mutability(repository),
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        }


def _named(repository: Repository) -> Parameters:
    return {"registryId": repository.account_id, "repositoryName": repository.name}


def _described_mutability(repository: Repository) -> Parameters:
    described: Parameters = {"imageTagMutability": repository.tag_mutability}
    if repository.exclusion_filters:
        described["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": wildcard} for wildcard in repository.exclusion_filters
        ]
    return described


def _mutability(parameters: Parameters) -> Parameters:
    """Raises InvalidParameterException."""
    mutability = parameters.get("imageTagMutability", "MUTABLE")
    filters = tuple(entry["filter"] for entry in parameters.get("imageTagMutabilityExclusionFilters", ()))
    if bool(filters) != mutability.endswith("_WITH_EXCLUSION"):
        raise InvalidParameterException(
            "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
            "'imageTagMutabilityExclusionFilters are given where, and only where, imageTagMutability has exclusions'"
        )
    return {"tag_mutability": mutability, "exclusion_filters": filters}
