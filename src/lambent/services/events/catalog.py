"""The buses and rules of all accounts: in the store, and as events meet them in memory.

Everything is changed through the catalog, so that it knows what to read anew. Changes are read, edited and written
back, and tried again when another writer was faster.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lambent.base.clock import Clock
from lambent.model.event_archive import Archive
from lambent.model.event_bus import DEFAULT_BUS, EventBus, Rule
from lambent.model.event_pattern import InvalidPatternError, Pattern, parse_pattern
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.events.archive_rules import PREFIX, rule_of
from lambent.services.events.bus_policy import effective_policy
from lambent.services.events.errors import (
    ConcurrentModificationException,
    ResourceAlreadyExistsException,
    no_bus,
    no_rule,
)
from lambent.services.events.rule_index import RuleIndex
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

_ATTEMPTS = 20
_PAGE = 500
_EVERYTHING = Pattern("", ((),))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listener:
    """A bus with all that listens to it: enabled rules, archives; and who may do what with it."""

    bus: EventBus
    policy: ResourcePolicy
    rules: RuleIndex[Rule]
    archives: RuleIndex[Archive]


class Catalog:
    def __init__(
        self,
        buses: NamedRecords[EventBus],
        rules: NamedRecords[Rule],
        archives: NamedRecords[Archive],
        clock: Clock,
    ) -> None:
        self.buses = buses
        self.rules = rules
        self.archives = archives
        self._clock = clock
        self._listeners: dict[Name, Listener] = {}
        self._changes = 0
        self._writing: set[asyncio.Task[None]] = set()

    async def listener(self, bus: Name) -> Listener | None:
        """None where there is no such bus."""
        known = self._listeners.get(bus)
        if known is not None:
            return known
        changes = self._changes
        listener = await self._read(bus)
        if listener is not None and changes == self._changes:  # nothing was written while we read
            self._listeners[bus] = listener
        return listener

    def known(self, bus: Name) -> Listener | None:
        """Where it was read since it last changed."""
        return self._listeners.get(bus)

    async def changed(self, key: str) -> None:
        """Another node has changed a bus, a rule or an archive (account/region/bus of a rule/name)."""
        account_id, region, rest = key.split("/", 2)
        parent = rest.rpartition("/")[0]
        self._changes += 1
        if parent:
            self._listeners.pop(Name(account_id, region, "", parent), None)
            return
        for bus in [bus for bus in self._listeners if (bus.account_id, bus.region) == (account_id, region)]:
            del self._listeners[bus]

    async def forget(self) -> None:
        self._changes += 1
        self._listeners.clear()

    async def _read(self, bus: Name) -> Listener | None:
        record = await self.bus(bus)
        if record is None:
            return None
        rules = [rule for rule in await self.rules_of(bus) if rule.enabled]
        archives = [archive for archive in await self.archives_of(bus) if archive.state == "ENABLED"]
        return Listener(
            record,
            effective_policy(bus, record),
            RuleIndex(
                _compiled((rule.event_pattern, rule) for rule in rules if rule.event_pattern is not None)
            ),
            RuleIndex(_compiled((archive.event_pattern, archive) for archive in archives)),
        )

    # Buses

    async def bus(self, name: Name) -> EventBus | None:
        """The default bus is made when it is first looked for."""
        found = await self.buses.get(name)
        if found is None and name.name == DEFAULT_BUS:
            now = self._clock.now()
            try:
                await self.buses.insert(name, EventBus(name=DEFAULT_BUS, created_at=now, modified_at=now))
            except AlreadyExistsError:
                log.debug("somebody else made the default bus of %s", name.account_id)
            found = await self.buses.get(name)
        return found

    async def require_bus(self, name: Name) -> EventBus:
        """Raises ResourceNotFoundException."""
        bus = await self.bus(name)
        if bus is None:
            raise no_bus(name.name)
        return bus

    async def insert_bus(self, name: Name, bus: EventBus) -> None:
        """Raises ResourceAlreadyExistsException."""
        try:
            await self._change(name, self.buses.insert(name, bus))
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException(f"Event bus {name.name} already exists.") from None

    async def change_bus(self, name: Name, edit: Callable[[EventBus], EventBus]) -> EventBus:
        """Raises ResourceNotFoundException, ConcurrentModificationException, and what `edit` raises."""
        for _ in range(_ATTEMPTS):
            previous = await self.require_bus(name)
            bus = edit(previous)
            try:
                await self._change(name, self.buses.replace(name, bus, previous=previous))
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise no_bus(name.name) from None
            return bus
        raise ConcurrentModificationException(f"Event bus {name.name} is being modified by other requests.")

    async def delete_bus(self, name: Name) -> None:
        try:
            await self._change(name, self.buses.delete(name))
        except NotFoundError:
            return

    # Rules: their names' parents are their buses

    async def rules_of(self, bus: Name) -> Sequence[Rule]:
        return await _all(self.rules, bus.account_id, bus.region, bus.name)

    async def find_rule(self, name: Name) -> Rule | None:
        """One that somebody put, or an archive's."""
        return await self.rules.get(name) or await self.archive_rule(name)

    async def archive_rule(self, name: Name) -> Rule | None:
        if not name.name.startswith(PREFIX):
            return None
        key = Name(name.account_id, name.region, "", name.name.removeprefix(PREFIX))
        archive = await self.archives.get(key)
        return None if archive is None or archive.bus != name.parent else rule_of(archive)

    async def require_rule(self, name: Name) -> Rule:
        """Raises ResourceNotFoundException: for the bus, where it is that which is not there."""
        rule = await self.find_rule(name)
        if rule is None:
            await self.require_bus(bus_of(name))
            raise no_rule(name.name, name.parent)
        return rule

    async def insert_rule(self, name: Name, rule: Rule, due_at: float | None) -> bool:
        """False where there is such a rule already."""
        try:
            await self._change(bus_of(name), self.rules.insert(name, rule, due_at=due_at))
        except AlreadyExistsError:
            return False
        return True

    async def change_rule(
        self, name: Name, edit: Callable[[Rule], Rule], due: Callable[[Rule], float | None] | None = None
    ) -> Rule:
        """`due` says when the changed rule is to be looked at; without it that stays. Raises as `change_bus`."""
        for _ in range(_ATTEMPTS):
            previous = await self.require_rule(name)
            rule = edit(previous)
            write = self.rules.replace(
                name, rule, previous=previous, due_at=due(rule) if due else None, keeps_due=due is None
            )
            try:
                await self._change(bus_of(name), write)
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise no_rule(name.name, name.parent) from None
            return rule
        raise ConcurrentModificationException(f"Rule {name.name} is being modified by other requests.")

    async def delete_rule(self, name: Name) -> None:
        try:
            await self._change(bus_of(name), self.rules.delete(name))
        except NotFoundError:
            return

    # Archives

    async def archives_of(self, bus: Name) -> Sequence[Archive]:
        every = await self.all_archives(bus.account_id, bus.region)
        return [archive for archive in every if archive.bus == bus.name]

    async def all_archives(self, account_id: str, region: str) -> Sequence[Archive]:
        return await _all(self.archives, account_id, region, "")

    async def change_archives(self, bus: Name, write: Coroutine[Any, Any, None]) -> None:
        """Raises what `write` raises."""
        await self._change(bus, write)

    async def _change(self, bus: Name, write: Coroutine[Any, Any, None]) -> None:
        """A write that has begun may succeed although its caller is cancelled, so it is noticed without its caller."""
        writing = asyncio.get_running_loop().create_task(self._write(bus, write))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.shield(writing)

    async def _write(self, bus: Name, write: Coroutine[Any, Any, None]) -> None:
        try:
            await write
        finally:
            self._changes += 1
            self._listeners.pop(bus, None)


def bus_of(rule: Name) -> Name:
    return Name(rule.account_id, rule.region, "", rule.parent)


async def _all(records: NamedRecords[T], account_id: str, region: str, parent: str) -> list[T]:
    found: list[T] = []
    after = ("", "")
    while True:
        page = await records.page(account_id, region, parent=parent, after=after, limit=_PAGE)
        found += [value for _, value in page]
        if len(page) < _PAGE:
            return found
        after = (parent, page[-1][0].name)


def _compiled(patterns: Iterable[tuple[str | None, T]]) -> Iterator[tuple[Pattern, T]]:
    """Of patterns that were accepted before; None is for every event."""
    for text, value in patterns:
        try:
            yield (_EVERYTHING if text is None else parse_pattern(text)), value
        except InvalidPatternError:
            log.error("a pattern that was accepted before is refused now: %s", text)
