"""The records of the registries: what every operation finds its repository, images, tags and layers by."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.model.repository import ImageTag, RegistryImage, RegistryLayer, Repository
from lambent.services.ecr.errors import RepositoryNotFoundException, ServerException
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

T = TypeVar("T")

_BATCH = 1000
_ATTEMPTS = 5
_BUSY = "The repository is being changed by somebody else. Try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrStores:
    """A repository's images, tags and layers have its name as their parent."""

    repositories: NamedRecords[Repository]
    images: NamedRecords[RegistryImage]
    tags: NamedRecords[ImageTag]
    layers: NamedRecords[RegistryLayer]


class Registry:
    """An account's in a region. Whoever changes a repository, or what is in it, has its lock, which is of this node:
    what another one changes at the same time is found by comparison."""

    def __init__(self, stores: EcrStores) -> None:
        self.stores = stores
        self._locks: defaultdict[Name, asyncio.Lock] = defaultdict(asyncio.Lock)

    def lock(self, repository: Repository) -> asyncio.Lock:
        return self._locks[name_of(repository)]

    async def find(self, account_id: str, region: str, name: str) -> Repository | None:
        return await self.stores.repositories.get(Name(account_id, region, "", name))

    async def require(self, caller: Caller, named: Parameters) -> Repository:
        """The repository that a request's parameters name. Raises RepositoryNotFoundException."""
        owner, name = registry_id(caller, named), named["repositoryName"]
        repository = await self.find(owner, caller.region, name)
        if repository is None:
            raise RepositoryNotFoundException(name, owner)
        return repository

    async def again(self, repository: Repository) -> Repository:
        """As it is now, under its lock. Raises RepositoryNotFoundException."""
        current = await self.find(repository.account_id, repository.region, repository.name)
        if current is None:
            raise RepositoryNotFoundException(repository.name, repository.account_id)
        return current

    async def replace(self, current: Repository, changed: Repository) -> None:
        """Raises RepositoryNotFoundException; ServerException, which clients try again, where another node was
        faster."""
        try:
            await self.stores.repositories.replace(name_of(current), changed, previous=current)
        except NotFoundError as error:
            raise RepositoryNotFoundException(current.name, current.account_id) from error
        except StaleRevisionError as error:
            raise ServerException(_BUSY) from error

    async def images(self, repository: Repository) -> dict[str, RegistryImage]:
        """By digest."""
        return dict(await self._all(self.stores.images, repository))

    async def tags(self, repository: Repository) -> dict[str, str]:
        """Digests by tag, in the order of the tags."""
        return {name: tag.digest for name, tag in await self._all(self.stores.tags, repository)}

    async def layers(self, repository: Repository) -> dict[str, RegistryLayer]:
        """By digest."""
        return dict(await self._all(self.stores.layers, repository))

    async def image(self, repository: Repository, digest: str) -> RegistryImage | None:
        return await self.stores.images.get(inside(repository, digest))

    async def tagged(self, repository: Repository, tag: str) -> str | None:
        found = await self.stores.tags.get(inside(repository, tag))
        return None if found is None else found.digest

    async def layer(self, repository: Repository, digest: str) -> RegistryLayer | None:
        return await self.stores.layers.get(inside(repository, digest))

    async def put_tag(self, repository: Repository, tag: str, digest: str) -> None:
        await put(self.stores.tags, inside(repository, tag), ImageTag(digest=digest))

    async def delete(self, records: NamedRecords[T], repository: Repository, key: str) -> None:
        try:
            await records.delete(inside(repository, key))
        except NotFoundError:
            return

    async def _all(self, records: NamedRecords[T], repository: Repository) -> Sequence[tuple[str, T]]:
        owner = (repository.account_id, repository.region)
        found: list[tuple[str, T]] = []
        while True:
            after = (repository.name, found[-1][0] if found else "")
            batch = await records.page(*owner, parent=repository.name, after=after, limit=_BATCH)
            found += [(name.name, value) for name, value in batch]
            if len(batch) < _BATCH:
                return found


def registry_id(caller: Caller, parameters: Parameters) -> str:
    return str(parameters.get("registryId") or caller.account_id)


def name_of(repository: Repository) -> Name:
    return Name(repository.account_id, repository.region, "", repository.name)


def inside(repository: Repository, key: str) -> Name:
    return Name(repository.account_id, repository.region, repository.name, key)


async def put(records: NamedRecords[T], name: Name, value: T) -> None:
    """Inserts or replaces. Raises ServerException, which clients try again, where another node is always faster."""
    for _ in range(_ATTEMPTS):
        current = await records.get(name)
        if current == value:
            return
        try:
            if current is None:
                await records.insert(name, value)
            else:
                await records.replace(name, value, previous=current)
        except (AlreadyExistsError, NotFoundError, StaleRevisionError):
            continue
        return
    raise ServerException(_BUSY)
