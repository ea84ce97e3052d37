"""Stores what an alarm's state is now, with what is to be told of it.

The state, the next time to look and the actions are stored in one step, so that a change is told once. Composite alarms
that depend on the alarm are made due then; should a crash come between, they are due within a minute all the same.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.model.alarm import COMPOSITE, Alarm, AlarmHistoryItem
from lambent.model.delivery import Delivery
from lambent.services.cloudwatch.alarm_message import event_detail, message_of
from lambent.services.cloudwatch.alarm_rule import parse_rule
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.targets.worker import DeliveryWorker

_READ = 500
ALARM_TYPE = "AlarmType"
"""The note of a delivery that says which kind of alarm it is of."""


class AlarmChanges:
    """`wake` is called when an alarm may be due earlier than before."""

    def __init__(
        self,
        alarms: NamedRecords[Alarm],
        history: NamedRecords[AlarmHistoryItem],
        worker: DeliveryWorker,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._alarms = alarms
        self._history = history
        self._worker = worker
        self._clock = clock
        self._wake = wake

    async def store(
        self, name: Name, before: Alarm, after: Alarm, *, acts: bool, due_at: float | None
    ) -> None:
        """Raises StaleRevisionError, NotFoundError."""
        now = self._clock.now()
        changed = after.state != before.state
        deliveries = _deliveries(after, before, acts=acts, changed=changed, now=now)
        await self._alarms.advance(name, previous=before, value=after, due_at=due_at, deliveries=deliveries)
        if deliveries:
            self._worker.wake()
        if changed:
            await self._note(after, before, now)
            await self.wake_parents(after)

    async def wake_parents(self, alarm: Alarm) -> None:
        """Whoever has it in its rule, or as its suppressor, is looked at again."""
        for name, parent in await self.composites(alarm.account_id, alarm.region):
            if refers_to(parent, alarm):
                await self._make_due(name)
                self._wake()

    async def _make_due(self, name: Name) -> None:
        while (alarm := await self._alarms.get(name)) is not None:
            with contextlib.suppress(StaleRevisionError, NotFoundError):
                await self._alarms.replace(name, alarm, previous=alarm, due_at=self._clock.now())
                return

    async def composites(self, account_id: str, region: str) -> list[tuple[Name, Alarm]]:
        found: list[tuple[Name, Alarm]] = []
        after = ("", "")
        while page := await self._alarms.page(account_id, region, parent=COMPOSITE, after=after, limit=_READ):
            found += page
            after = (page[-1][0].parent, page[-1][0].name)
        return found

    async def _note(self, alarm: Alarm, before: Alarm, now: float) -> None:
        data = {"version": "1.0", "oldState": _noted(before), "newState": _noted(alarm)}
        summary = f"Alarm updated from {before.state} to {alarm.state}"
        await note(self._history, alarm, "StateUpdate", summary, orjson.dumps(data).decode(), now)


async def note(
    history: NamedRecords[AlarmHistoryItem], alarm: Alarm, kind: str, summary: str, data: str, now: float
) -> None:
    item = AlarmHistoryItem(
        alarm_name=alarm.name, at=now, kind=kind, summary=summary, data=data, alarm_kind=alarm.kind
    )
    name = Name(alarm.account_id, alarm.region, alarm.name, f"{int(now * 1000):014d}-{new_token(8)}")
    await history.insert(name, item)


def refers_to(composite: Alarm, alarm: Alarm) -> bool:
    names = {*parse_rule(composite.settings["AlarmRule"]).alarms, composite.settings.get("ActionsSuppressor")}
    return alarm.name in names or alarm.arn(partition_of(alarm.region)) in names


def name_in(reference: str) -> str:
    """The name of an alarm, that a rule calls by its name or ARN."""
    try:
        arn = Arn.parse(reference)
    except ValueError:
        return reference
    kind, _, name = arn.resource.partition(":")
    return name if (arn.service, kind) == ("cloudwatch", "alarm") else reference


def _noted(alarm: Alarm) -> dict[str, Any]:
    noted: dict[str, Any] = {"stateValue": alarm.state, "stateReason": alarm.reason}
    if alarm.reason_data is not None:
        noted["stateReasonData"] = orjson.loads(alarm.reason_data)
    return noted


def _deliveries(after: Alarm, before: Alarm, *, acts: bool, changed: bool, now: float) -> list[Delivery]:
    arn = after.arn(partition_of(after.region))

    def delivery(to: str, payload: bytes) -> Delivery:
        return Delivery(
            queue="cloudwatch",
            account_id=after.account_id,
            region=after.region,
            source_arn=arn,
            target={"Arn": to},
            payload=payload,
            notes={ALARM_TYPE: after.kind},
            accepted_at=now,
            due_at=now,
        )

    told: list[Delivery] = []
    if acts and after.actions_enabled:
        told = [
            delivery(action, message_of(after, before, action, now)) for action in after.actions(after.state)
        ]
    if changed:
        bus = f"arn:{partition_of(after.region)}:events:{after.region}:{after.account_id}:event-bus/default"
        told.append(delivery(bus, event_detail(after, before)))
    return told
