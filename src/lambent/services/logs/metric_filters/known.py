"""All metric filters, in memory as they are stored: every batch of log events asks for those of its group."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from lambent.model.metric_filter import MetricFilter
from lambent.services.logs.filter_pattern import InvalidFilterPatternError
from lambent.services.logs.metric_filters.compile import (
    CompiledFilter,
    InvalidTransformationError,
    compile_filter,
)
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

GroupKey = tuple[str, str, str]
"""account, region, log group"""


class TooManyFiltersError(Exception):
    pass


class KnownMetricFilters:
    """Changes go through here, one at a time. A record's parent is its log group."""

    def __init__(self, records: NamedRecords[MetricFilter]) -> None:
        self._records = records
        self._groups: dict[GroupKey, dict[str, CompiledFilter]] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Also again, when another node has changed some."""
        async with self._changing:
            groups: dict[GroupKey, dict[str, CompiledFilter]] = {}
            for name, record in await self._records.all():
                try:
                    compiled = compile_filter(record)
                except (InvalidFilterPatternError, InvalidTransformationError) as error:
                    log.error("the metric filter %s of %s is left out: %s", name.name, name.parent, error)
                    continue
                groups.setdefault(_key(name), {})[name.name] = compiled
            self._groups = groups

    def of_group(self, key: GroupKey) -> Iterable[tuple[str, CompiledFilter]]:
        """With their names, in no order."""
        group = self._groups.get(key)
        return group.items() if group else ()

    def count(self, key: GroupKey) -> int:
        return len(self._groups.get(key, ()))

    def of_region(self, account_id: str, region: str) -> Sequence[tuple[str, str, MetricFilter]]:
        """(name, log group, filter), in this order."""
        found = [
            (name, key[2], compiled.filter)
            for key, group in self._groups.items()
            if key[:2] == (account_id, region)
            for name, compiled in group.items()
        ]
        return sorted(found, key=lambda entry: entry[:2])

    async def put(self, name: Name, compiled: CompiledFilter, *, most: int) -> None:
        """Raises TooManyFiltersError where the group would have more than `most`, StoreError."""
        async with self._changing:
            group = self._groups.get(_key(name), {})
            previous = group.get(name.name)
            if previous is None and len(group) >= most:
                raise TooManyFiltersError
            if previous is None:
                await self._records.insert(name, compiled.filter)
            else:
                await self._records.replace(name, compiled.filter, previous=previous.filter)
            self._groups.setdefault(_key(name), {})[name.name] = compiled

    async def delete(self, name: Name) -> None:
        """Raises NotFoundError, StoreError."""
        async with self._changing:
            await self._delete(name)

    async def delete_group(self, key: GroupKey) -> None:
        async with self._changing:
            for name in list(self._groups.get(key, ())):
                await self._delete(Name(key[0], key[1], key[2], name))

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
