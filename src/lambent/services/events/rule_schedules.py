"""Rules that trigger themselves: rate(…) and cron(…) in UTC, and how they fire.

When the server was down at the time of a schedule, that is made up for once at the next start, with the latest time
that was missed; earlier ones are skipped.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from datetime import UTC

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.event_bus import Rule
from lambent.model.schedule import InvalidScheduleError, Once, parse_schedule
from lambent.services.events.acceptance import Acceptance
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import invalid
from lambent.services.events.event import new_event
from lambent.store.ports.named_records import Due
from lambent.targets.timer import Timer, latest


def check_schedule(text: str) -> None:
    """Raises ValidationException."""
    try:
        schedule = parse_schedule(text, UTC)
    except InvalidScheduleError:
        raise invalid("ScheduleExpression") from None
    if isinstance(schedule, Once):
        raise invalid("ScheduleExpression")


def next_time(rule: Rule, after: float) -> float | None:
    """When a rule triggers itself next; None where it does not."""
    if rule.schedule_expression is None or not rule.enabled:
        return None
    since = rule.scheduled_from
    if since is None or since > after:  # later only where the clock was set back since
        since = after
    # A rate's first time is one interval after it began to count.
    return parse_schedule(rule.schedule_expression, UTC).next(after, since=since)


class RuleSchedules:
    """`timer` fires what is due."""

    def __init__(self, catalog: Catalog, acceptance: Acceptance, clock: Clock) -> None:
        self._catalog = catalog
        self._acceptance = acceptance
        self._clock = clock
        self.timer = Timer(catalog.rules, self._fire, next_time, clock)

    async def _fire(self, due: Due[Rule]) -> None:
        """The rule's next time and what comes of this one are stored together, so that a time is fired once."""
        rule, now = due.value, self._clock.now()
        event = new_event(
            source="aws.events",
            detail_type="Scheduled Event",
            detail={},
            account_id=rule.account_id,
            region=rule.region,
            time=latest(due.due_at, now, lambda after: next_time(rule, after)),
            resources=[rule.arn(partition_of(rule.region))],
        )
        deliveries = list(self._acceptance.deliveries_of(rule, event))
        await self._catalog.rules.advance(
            due.name, previous=rule, value=rule, due_at=next_time(rule, now), deliveries=deliveries
        )
        self._acceptance.scheduled(rule, deliveries)
