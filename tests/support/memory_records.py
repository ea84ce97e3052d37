"""Named records, deliveries and archived events in memory, for the services that are built on them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Due, Name


class MemoryDeliveries:
    """As much of TargetDeliveryStore as those do who enqueue."""

    def __init__(self) -> None:
        self.enqueued: list[Any] = []

    async def enqueue(self, deliveries):
        self.enqueued += deliveries


class MemoryRecords:
    """Implements NamedRecords. `conflicts` counts down writes that are to fail as if another writer had been faster."""

    def __init__(self, deliveries: MemoryDeliveries) -> None:
        self._deliveries = deliveries
        self.values: dict[Name, Any] = {}
        self.times: dict[Name, float | None] = {}
        self.reads = 0
        self.conflicts = 0

    async def insert(self, name, value, *, due_at=None):
        if name in self.values:
            raise AlreadyExistsError
        self.values[name], self.times[name] = value, due_at

    async def get(self, name):
        self.reads += 1
        return self.values.get(name)

    async def replace(self, name, value, *, previous, due_at=None, keeps_due=False):
        self._expect(name, previous)
        self.values[name] = value
        if not keeps_due:
            self.times[name] = due_at

    async def delete(self, name):
        if self.values.pop(name, None) is None:
            raise NotFoundError
        del self.times[name]

    async def page(self, account_id, region, *, parent=None, prefix="", after=("", ""), limit):
        found = [
            (name, value)
            for name, value in sorted(self.values.items(), key=lambda item: item[0])
            if (name.account_id, name.region) == (account_id, region)
            and (parent is None or name.parent == parent)
            and name.name.startswith(prefix)
            and (name.parent, name.name) > after
        ]
        return found[:limit]

    async def all(self):
        return sorted(self.values.items(), key=lambda item: item[0])

    async def due(self, *, now, limit):
        times = {name: time for name, time in self.times.items() if time is not None and time <= now}
        return [
            Due(name, self.values[name], time) for name, time in sorted(times.items(), key=lambda i: i[1])
        ][:limit]

    async def due_later(self, *, than, after, limit):
        return [
            Due(name, self.values[name], time)
            for name, time in sorted(self.times.items())
            if time is not None and time > than and (after is None or name > after)
        ][:limit]

    async def next_due(self):
        return min((time for time in self.times.values() if time is not None), default=None)

    async def advance(self, name, *, previous, value, due_at, deliveries):
        self._expect(name, previous)
        if value is None:
            await self.delete(name)
        else:
            self.values[name], self.times[name] = value, due_at
        await self._deliveries.enqueue(deliveries)

    def _expect(self, name, previous):
        if name not in self.values:
            raise NotFoundError
        if self.conflicts > 0:
            self.conflicts -= 1
            raise StaleRevisionError
        if self.values[name] != previous:
            raise StaleRevisionError


class MemoryArchive:
    """Implements EventArchiveStore."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def append(self, events):
        self.events += [replace(event, number=len(self.events) + n) for n, event in enumerate(events, 1)]

    async def page(self, archive_id, *, start, end, after, limit) -> Sequence[Any]:
        found = [
            event
            for event in sorted(self.events, key=lambda event: (event.time, event.number))
            if event.archive_id == archive_id
            and start <= event.time < end
            and (after is None or (event.time, event.number) > after)
        ]
        return found[:limit]

    async def size(self, archive_id):
        mine = [event for event in self.events if event.archive_id == archive_id]
        return len(mine), sum(len(event.event) for event in mine)

    async def sweep(self, oldest, *, limit):
        gone = [
            event
            for event in self.events
            if event.archive_id not in oldest or event.archived_at < oldest[event.archive_id]
        ][:limit]
        self.events = [event for event in self.events if event not in gone]
        return len(gone)
