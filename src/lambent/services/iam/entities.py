"""The users, groups and instance profiles of an account, found and changed, with AWS's errors for the store's."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, Protocol, TypeVar

from lambent.model.caller import Caller
from lambent.model.iam_account import AccessKeyUse, IamAccount
from lambent.model.oidc import OidcProvider
from lambent.model.user import Group, InstanceProfile, User
from lambent.services.iam.errors import ConcurrentModification, EntityAlreadyExists, NoSuchEntity
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_ATTEMPTS = 20
_PAGE = 500


class Entity(Protocol):
    @property
    def account_id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...


E = TypeVar("E", bound=Entity)
OnChange = Callable[[E | None, E | None], None]
"""Told what was and what is, None where there is nothing."""


class Entities(Generic[E]):
    """Changes are read, edited and written back, and tried again when another writer was faster. Names are unique and
    found whatever their case; the record has them as written."""

    def __init__(
        self, kind: str, records: NamedRecords[E], on_change: OnChange[E], *, missing: str, exists: str
    ) -> None:
        """`kind` as in the names of operations ("User"); `missing` and `exists` are AWS's sentences."""
        self.kind = kind
        self._records = records
        self._on_change = on_change
        self._missing = missing
        self._exists = exists

    async def find(self, caller: Caller, name: str) -> E:
        """Raises NoSuchEntity."""
        found = await self._records.get(_key(caller.account_id, name))
        return found if found is not None else self._no(name)

    async def insert(self, entity: E) -> None:
        """Raises EntityAlreadyExists."""
        try:
            await self._records.insert(_key(entity.account_id, entity.name), entity)
        except AlreadyExistsError:
            raise EntityAlreadyExists(self._exists.format(name=entity.name)) from None
        self._on_change(None, entity)

    async def change(self, caller: Caller, name: str, edit: Callable[[E], E]) -> E:
        """Raises NoSuchEntity, EntityAlreadyExists (of a new name), ConcurrentModification, and what `edit` raises."""
        for _ in range(_ATTEMPTS):
            previous = await self.find(caller, name)
            entity = edit(previous)
            try:
                await self._write(previous, entity)
            except StaleRevisionError:
                continue
            except NotFoundError:
                self._no(name)
            except AlreadyExistsError:
                raise EntityAlreadyExists(self._exists.format(name=entity.name)) from None
            self._on_change(previous, entity)
            return entity
        raise ConcurrentModification(f"{self.kind} {name} is being modified by other requests.")

    async def _write(self, previous: E, entity: E) -> None:
        before, after = (_key(each.account_id, each.name) for each in (previous, entity))
        if before == after:
            await self._records.replace(after, entity, previous=previous)
        else:
            await self._records.rename(before, after, entity, previous=previous)

    async def delete(self, entity: E) -> None:
        try:
            await self._records.delete(_key(entity.account_id, entity.name))
        except NotFoundError:
            self._no(entity.name)
        finally:
            self._on_change(entity, None)

    async def all(self, account_id: str, prefix: str = "/", after: str | None = None) -> AsyncIterator[E]:
        """By name, those whose path begins with `prefix`."""
        last = (after or "").lower()
        while True:
            page = await self._records.page(account_id, "", after=("", last), limit=_PAGE)
            for _, entity in page:
                if entity.path.startswith(prefix):
                    yield entity
            if len(page) < _PAGE:
                return
            last = page[-1][0].name

    def _no(self, name: str) -> NoReturn:
        raise NoSuchEntity(self._missing.format(name=name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What is kept of everybody but roles."""

    users: NamedRecords[User]
    groups: NamedRecords[Group]
    instance_profiles: NamedRecords[InstanceProfile]
    accounts: NamedRecords[IamAccount]
    providers: NamedRecords[OidcProvider]
    key_uses: NamedRecords[AccessKeyUse]


def user_entities(records: NamedRecords[User], on_change: OnChange[User]) -> Entities[User]:
    return Entities(
        "User",
        records,
        on_change,
        missing="The user with name {name} cannot be found.",
        exists="User with name {name} already exists.",
    )


def group_entities(records: NamedRecords[Group], on_change: OnChange[Group]) -> Entities[Group]:
    return Entities(
        "Group",
        records,
        on_change,
        missing="The group with name {name} cannot be found.",
        exists="Group with name {name} already exists.",
    )


def profile_entities(records: NamedRecords[InstanceProfile]) -> Entities[InstanceProfile]:
    return Entities(
        "InstanceProfile",
        records,
        lambda before, after: None,
        missing="Instance Profile {name} cannot be found.",
        exists="Instance Profile {name} already exists.",
    )


def _key(account_id: str, name: str) -> Name:
    return Name(account_id, "", "", name.lower())
