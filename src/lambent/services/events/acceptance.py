"""From an event on a bus to deliveries on disk: who listens, what each is given.

What nobody listens to is gone with the answer, as on AWS; everything else is stored before the sender has its answer.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.delivery import Delivery
from lambent.model.event_archive import Archive, ArchivedEvent
from lambent.model.event_bus import Rule
from lambent.model.event_pattern import read_event
from lambent.model.input_template import InvalidInputError
from lambent.services.events.catalog import Catalog, Listener
from lambent.services.events.event import Event
from lambent.services.events.names import is_bus_arn
from lambent.services.events.rule_metrics import RuleMetrics
from lambent.services.events.target_input import target_input
from lambent.store.ports.event_archives import EventArchiveStore
from lambent.store.ports.named_records import Name
from lambent.store.ports.target_deliveries import TargetDeliveryStore

BUSES = "buses"
TRACE = "trace"
INVALID = "invalid"
"""The notes of a delivery that say which buses its event came by, with which trace header, and why there is no input
that its target could be given."""


class Acceptance:
    """`wake` is called when there is something to deliver."""

    def __init__(
        self,
        catalog: Catalog,
        deliveries: TargetDeliveryStore,
        archives: EventArchiveStore,
        clock: Clock,
        metrics: RuleMetrics,
        wake: Callable[[], None],
    ) -> None:
        self._catalog = catalog
        self._deliveries = deliveries
        self._archives = archives
        self._clock = clock
        self._metrics = metrics
        self.wake = wake

    async def accept(self, events: Sequence[tuple[Name, Event]]) -> None:
        """Events, each on a bus. Returns when what comes of them is on disk. Raises StoreFullError."""
        deliveries: list[Delivery] = []
        archived: list[ArchivedEvent] = []
        for bus, event in events:
            listener = await self._catalog.listener(bus)
            if listener is not None:  # AWS accepts events for buses that are not there, too
                fields = read_event(event.members)
                deliveries += self._matched(listener.rules.matching(fields), event)
                archived += self._archived(listener, listener.archives.matching(fields), event)
        await self.store(deliveries, archived)

    async def replayed(self, bus: Name, event: Event, rules: Sequence[str] | None) -> Sequence[Delivery]:
        """What comes of an archived event, for the rules with these ARNs, or all; to be stored by the replay."""
        listener = await self._catalog.listener(bus)
        if listener is None:
            return ()
        matching = listener.rules.matching(read_event(event.members))
        partition = partition_of(bus.region)
        wanted = [rule for rule in matching if not rules or rule.arn(partition) in rules]
        return list(self._matched(wanted, event))

    async def store(self, deliveries: Sequence[Delivery], archived: Sequence[ArchivedEvent] = ()) -> None:
        """Both in one commit. Raises StoreFullError."""
        if deliveries and archived:
            await asyncio.gather(self._deliveries.enqueue(deliveries), self._archives.append(archived))
        elif deliveries:
            await self._deliveries.enqueue(deliveries)
        elif archived:
            await self._archives.append(archived)
        if deliveries:
            self.wake()

    def _matched(self, rules: Sequence[Rule], event: Event) -> Iterator[Delivery]:
        for rule in rules:
            self._metrics.matched(rule)
            yield from self.deliveries_of(rule, event)

    def scheduled(self, rule: Rule, deliveries: Sequence[Delivery]) -> None:
        """A rule has triggered itself, and these deliveries are stored."""
        self._metrics.triggered(rule)
        if deliveries:
            self.wake()

    def deliveries_of(self, rule: Rule, event: Event) -> Iterator[Delivery]:
        """One for each target of a rule that the event triggers."""
        now, arn = self._clock.now(), rule.arn(partition_of(rule.region))
        for given in rule.targets.values():
            target = _with_role(rule, given)
            notes = _notes(event)
            try:
                payload = target_input(target, event, rule_arn=arn, rule=rule.name, now=now)
            except InvalidInputError as error:
                payload, notes[INVALID] = event.text, str(error)
            yield Delivery(
                queue="events",
                account_id=rule.account_id,
                region=rule.region,
                source_arn=arn,
                target=target,
                payload=payload,
                event=None if payload == event.text else event.text,
                notes=notes,
                accepted_at=now,
                due_at=now,
            )

    def _archived(
        self, listener: Listener, archives: Sequence[Archive], event: Event
    ) -> Iterator[ArchivedEvent]:
        now = self._clock.now()
        for archive in archives:
            yield ArchivedEvent(archive_id=archive.id, time=event.time, archived_at=now, event=event.text)


def _notes(event: Event) -> dict[str, str]:
    notes = {BUSES: " ".join(event.buses)} if event.buses else {}
    if event.trace is not None:
        notes[TRACE] = event.trace
    return notes


def _with_role(rule: Rule, target: Mapping[str, Any]) -> Mapping[str, Any]:
    """A bus as a target is called as the rule's role, where it has none of its own."""
    if rule.role_arn is None or "RoleArn" in target or not is_bus_arn(target["Arn"]):
        return target
    return {**target, "RoleArn": rule.role_arn}
