"""All subscription filters, in memory as they are stored: every batch of log events asks for those of its group."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lambent.model.subscription_filter import SubscriptionFilter
from lambent.services.logs.filter_pattern import FilterPattern, InvalidFilterPatternError, parse
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

GroupKey = tuple[str, str, str]
"""account, region, log group"""


class TooManyFiltersError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Compiled:
    filter: SubscriptionFilter
    pattern: FilterPattern


def compiled(filter: SubscriptionFilter) -> Compiled:
    """Raises InvalidFilterPatternError."""
    return Compiled(filter, parse(filter.pattern))


class KnownSubscriptions:
    """Changes go through here, one at a time. A record's parent is its log group."""

    def __init__(self, records: NamedRecords[SubscriptionFilter]) -> None:
        self._records = records
        self._groups: dict[GroupKey, dict[str, Compiled]] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Also again, when another node has changed some."""
        async with self._changing:
            groups: dict[GroupKey, dict[str, Compiled]] = {}
            for name, record in await self._records.all():
                try:
                    groups.setdefault(_key(name), {})[name.name] = compiled(record)
                except InvalidFilterPatternError as error:
                    log.error(
                        "the subscription filter %s of %s is left out: %s", name.name, name.parent, error
                    )
            self._groups = groups

    def of_group(self, key: GroupKey) -> Iterable[tuple[str, Compiled]]:
        """With their names, in no order."""
        group = self._groups.get(key)
        return group.items() if group else ()

    def named(self, key: GroupKey) -> Sequence[tuple[str, SubscriptionFilter]]:
        return sorted((name, one.filter) for name, one in self.of_group(key))

    async def put(self, name: Name, new: Compiled, *, most: int) -> None:
        """Raises TooManyFiltersError where the group would have more than `most`, StoreError."""
        async with self._changing:
            group = self._groups.get(_key(name), {})
            previous = group.get(name.name)
            if previous is None and len(group) >= most:
                raise TooManyFiltersError
            if previous is None:
                await self._records.insert(name, new.filter)
            else:
                await self._records.replace(name, new.filter, previous=previous.filter)
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
