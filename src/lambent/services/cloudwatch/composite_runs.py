"""Looks at composite alarms when an alarm that they depend on has changed, and once a minute."""

from lambent.base.clock import Clock
from lambent.model.alarm import COMPOSITE, Alarm
from lambent.services.cloudwatch.alarm_changes import AlarmChanges, name_in
from lambent.services.cloudwatch.alarm_rule import parse_rule
from lambent.services.cloudwatch.composite import look
from lambent.store.ports.named_records import Due, Name, NamedRecords

LOOK_SECONDS = 60.0


class CompositeRuns:
    def __init__(self, alarms: NamedRecords[Alarm], changes: AlarmChanges, clock: Clock) -> None:
        self._alarms = alarms
        self._changes = changes
        self._clock = clock

    async def fire(self, due: Due[Alarm]) -> None:
        """Raises StaleRevisionError, NotFoundError."""
        alarm, now = due.value, self._clock.now()
        if await self._is_cyclic(alarm):
            await self._changes.store(due.name, alarm, alarm, acts=False, due_at=now + LOOK_SECONDS)
            return
        rule = parse_rule(alarm.settings["AlarmRule"])
        children = {name: await self.find(alarm, name) for name in rule.alarms}
        suppressor = alarm.settings.get("ActionsSuppressor")
        found = look(alarm, children, await self.find(alarm, suppressor) if suppressor else None, now)
        due_at = min(now + LOOK_SECONDS, found.due_at or now + LOOK_SECONDS)
        await self._changes.store(due.name, alarm, found.alarm, acts=found.acts, due_at=due_at)

    async def find(self, composite: Alarm, reference: str) -> Alarm | None:
        """What its rule calls by a name or an ARN: an alarm on a metric, or a composite one."""
        account_id, region, name = composite.account_id, composite.region, name_in(reference)
        found = await self._alarms.get(Name(account_id, region, "", name))
        return found or await self._alarms.get(Name(account_id, region, COMPOSITE, name))

    async def _is_cyclic(self, alarm: Alarm) -> bool:
        """As on AWS, an alarm that depends on itself, however far round, is looked at no more."""
        composites = {
            one.name: one for _, one in await self._changes.composites(alarm.account_id, alarm.region)
        }
        reached: set[str] = set()
        waiting = [alarm]
        while waiting:
            for reference in parse_rule(waiting.pop().settings["AlarmRule"]).alarms:
                name = name_in(reference)
                if name == alarm.name:
                    return True
                if name in composites and name not in reached:
                    reached.add(name)
                    waiting.append(composites[name])
        return False
