"""All filters of one kind, in memory as they are stored: every batch of log events asks for those of its group."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

GroupKey = tuple[str, str, str]
"""account, region, log group"""

F = TypeVar("F")
"""A filter as it is stored."""
C = TypeVar("C")
"""The same as it is applied."""


class TooManyFiltersError(Exception):
    pass


class KnownFilters(Generic[F, C]):
    """Changes go through here, one at a time. A record's parent is its log group; `compile` raises ValueError, `stored`
    is its reverse."""

    def __init__(
        self, records: NamedRecords[F], compile: Callable[[F], C], stored: Callable[[C], F], kind: str
    ) -> None:
        self._records = records
        self._compile = compile
        self._stored = stored
        self._kind = kind
        self._groups: dict[GroupKey, dict[str, C]] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Also again, when another node has changed some."""
        async with self._changing:
            groups: dict[GroupKey, dict[str, C]] = {}
            for name, record in await self._records.all():
                try:
                    groups.setdefault(_key(name), {})[name.name] = self._compile(record)
                except ValueError as error:
                    log.error("the %s %s of %s is left out: %s", self._kind, name.name, name.parent, error)
            self._groups = groups

    def of_group(self, key: GroupKey) -> Iterable[tuple[str, C]]:
        """With their names, in no order."""
        group = self._groups.get(key)
        return group.items() if group else ()

    def count(self, key: GroupKey) -> int:
        return len(self._groups.get(key, ()))

    def named(self, key: GroupKey) -> Sequence[tuple[str, F]]:
        """In the order of their names."""
        return [(name, self._stored(one)) for name, one in sorted(self.of_group(key), key=itemgetter(0))]

    def of_region(self, account_id: str, region: str) -> Sequence[tuple[str, str, F]]:
        """(name, log group, filter), in this order."""
        found = [
            (name, key[2], filter)
            for key in self._groups
            if key[:2] == (account_id, region)
            for name, filter in self.named(key)
        ]
        return sorted(found, key=lambda entry: entry[:2])

    async def put(self, name: Name, new: C, *, most: int) -> None:
        """Raises TooManyFiltersError where the group would have more than `most`, StoreError."""
        async with self._changing:
            group = self._groups.get(_key(name), {})
            previous = group.get(name.name)
            if previous is None and len(group) >= most:
                raise TooManyFiltersError
            if previous is None:
                await self._records.insert(name, self._stored(new))
            else:
                await self._records.replace(name, self._stored(new), previous=self._stored(previous))
            self._groups.setdefault(_key(name), {})[name.name] = new

    async def delete(self, name: Name) -> None:
        """Raises NotFoundError, StoreError."""
        async with self._changing:
            await self._delete(name)

    async def delete_group(self, key: GroupKey) -> None:
        async with self._changing:
            for name in list(self._groups.get(key, ())):
                await self._delete(Name(*key, name))

    async def _delete(self, name: Name) -> None:
        group = self._groups.get(_key(name), {})
        if name.name not in group:
            raise NotFoundError(name.name)
        await self._records.delete(name)
        del group[name.name]
        if not group:
            del self._groups[_key(name)]


def _key(name: Name) -> GroupKey:
    return name.account_id, name.region, name.parent
