"""Every key, alias and grant, in memory: authorization asks for them on each request and cannot wait.

They are few and small; each change is on disk before it is here.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from lambent.base.clock import Clock, Jumps
from lambent.model.kms import Alias, Grant, Key
from lambent.services.kms.errors import AlreadyExistsException
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsStores:
    """Keys by id, aliases by name, grants by id below their key's id."""

    keys: NamedRecords[Key]
    aliases: NamedRecords[Alias]
    grants: NamedRecords[Grant]


class KeyRing:
    def __init__(self, stores: KmsStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._jumps = Jumps(clock)
        self._keys: dict[str, Key] = {}
        self._aliases: dict[tuple[str, str, str], Alias] = {}
        self._grants: dict[str, dict[str, Grant]] = {}
        self._changes = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def open(self) -> None:
        """Also again, when another node has changed something."""
        while True:
            changes = self._changes
            keys = {key.id: key for _, key in await self._stores.keys.all()}
            aliases = {_alias_key(alias): alias for _, alias in await self._stores.aliases.all()}
            grants: dict[str, dict[str, Grant]] = {}
            for _, grant in await self._stores.grants.all():
                grants.setdefault(grant.key_id, {})[grant.id] = grant
            if changes == self._changes:  # nothing was written here while we read
                self._keys, self._aliases, self._grants = keys, aliases, grants
                return

    async def run(self) -> None:
        """Destroys keys, and imported material, whose time has come, for ever."""
        while True:
            await self.destroy_due()
            await asyncio.sleep(_SWEEP_SECONDS)

    async def destroy_due(self) -> None:
        """What is destroyed is never had again: so a clock that was set forward meanwhile destroys none earlier, and
        none goes that was changed by another node without a word of it here."""
        now = min(self._clock.now(), self._jumps.steady())
        for key in [key for key in self._keys.values() if key.deletion_at is not None]:
            if key.deletion_at is not None and key.deletion_at <= now:
                with contextlib.suppress(NotFoundError, StaleRevisionError):
                    await self._destroy(key)
        for key in [key for key in self._keys.values() if key.expires_at is not None]:
            if key.expires_at is not None and key.expires_at <= now:
                with contextlib.suppress(NotFoundError, StaleRevisionError):
                    await self.put(without_material(key))

    def lock(self, id: str) -> asyncio.Lock:
        """Held while a key (or what is by its name) is read and then changed."""
        return self._locks.setdefault(id, asyncio.Lock())

    def key(self, id: str) -> Key | None:
        """One whose time has come is gone, and so is its imported material, swept or not."""
        key = self._keys.get(id)
        if key is None:
            return None
        now = self._clock.now()
        if key.deletion_at is not None and key.deletion_at <= now:
            return None
        return without_material(key) if key.expires_at is not None and key.expires_at <= now else key

    def keys(self, account_id: str, region: str) -> Sequence[Key]:
        """By id."""
        own = [key for key in self._keys.values() if (key.account_id, key.region) == (account_id, region)]
        return sorted((key for key in own if self.key(key.id)), key=lambda key: key.id)

    async def put(self, key: Key) -> None:
        name = Name(key.account_id, key.region, "", key.id)
        previous = self._keys.get(key.id)
        if previous is None:
            await self._stores.keys.insert(name, key)
        else:
            await self._stores.keys.replace(name, key, previous=previous)
        self._changes += 1
        self._keys[key.id] = key

    def alias(self, account_id: str, region: str, name: str) -> Alias | None:
        return self._aliases.get((account_id, region, name))

    def aliases(self, account_id: str, region: str) -> Sequence[Alias]:
        """By name."""
        own = [alias for key, alias in self._aliases.items() if key[:2] == (account_id, region)]
        return sorted(own, key=lambda alias: alias.name)

    async def add_alias(self, alias: Alias) -> None:
        """Raises AlreadyExistsException."""
        try:
            await self._stores.aliases.insert(_alias_name(alias), alias)
        except AlreadyExistsError as error:
            raise AlreadyExistsException(f"An alias with the name {alias.arn()} already exists") from error
        self._changes += 1
        self._aliases[_alias_key(alias)] = alias

    async def replace_alias(self, alias: Alias) -> None:
        await self._stores.aliases.replace(
            _alias_name(alias), alias, previous=self._aliases[_alias_key(alias)]
        )
        self._changes += 1
        self._aliases[_alias_key(alias)] = alias

    async def drop_alias(self, alias: Alias) -> None:
        await _delete(self._stores.aliases, _alias_name(alias))
        self._changes += 1
        self._aliases.pop(_alias_key(alias), None)

    def grants(self, key_id: str) -> Sequence[Grant]:
        """By id."""
        return sorted(self._grants.get(key_id, {}).values(), key=lambda grant: grant.id)

    def all_grants(self) -> Iterator[Grant]:
        for grants in self._grants.values():
            yield from grants.values()

    async def add_grant(self, key: Key, grant: Grant) -> None:
        await self._stores.grants.insert(Name(key.account_id, key.region, key.id, grant.id), grant)
        self._changes += 1
        self._grants.setdefault(key.id, {})[grant.id] = grant

    async def drop_grant(self, key: Key, grant: Grant) -> None:
        await _delete(self._stores.grants, Name(key.account_id, key.region, key.id, grant.id))
        self._changes += 1
        self._grants.get(key.id, {}).pop(grant.id, None)

    async def _destroy(self, key: Key) -> None:
        """The key goes last, and only as it is known here: what a crash leaves of it is destroyed again."""
        name = Name(key.account_id, key.region, "", key.id)
        if await self._stores.keys.get(name) != key:
            raise StaleRevisionError(key.id)
        for alias in [alias for alias in self._aliases.values() if alias.key_id == key.id]:
            await self.drop_alias(alias)
        for grant in self.grants(key.id):
            await self.drop_grant(key, grant)
        await self._stores.keys.advance(name, previous=key, value=None, due_at=None, deliveries=())
        self._changes += 1
        self._keys.pop(key.id, None)


def without_material(key: Key) -> Key:
    """It can only be had again by the same being imported again."""
    return replace(key, materials=(), expires_at=None)


async def _delete(records: NamedRecords[Any], name: Name) -> None:
    try:
        await records.delete(name)
    except NotFoundError:
        return


def _alias_key(alias: Alias) -> tuple[str, str, str]:
    return alias.account_id, alias.region, alias.name


def _alias_name(alias: Alias) -> Name:
    return Name(alias.account_id, alias.region, "", alias.name)
