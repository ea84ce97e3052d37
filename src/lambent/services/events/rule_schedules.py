"""Rules that trigger themselves: rate(…) and cron(…) in UTC, and the task that fires them.

When the server was down at the time of a schedule, that is made up for once at the next start, with the latest time
that was missed; earlier ones are skipped.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import asyncio
import contextlib
import logging
from datetime import UTC

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.event_bus import Rule
from lambent.model.schedule import InvalidScheduleError, Once, parse_schedule
from lambent.services.events.acceptance import Acceptance
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import invalid
from lambent.services.events.event import new_event
from lambent.store.ports.errors import NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.named_records import Due

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0
"""At most so long asleep, so that a clock that was set is noticed."""
_RETRY_SECONDS = 1.0
_BATCH = 100
_DAY_SECONDS = 86_400


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
    since = rule.scheduled_from if rule.scheduled_from is not None else after
    # A rate's first time is one interval after it began to count.
    return parse_schedule(rule.schedule_expression, UTC).next(max(after, since), since=since)


class RuleSchedules:
    def __init__(self, catalog: Catalog, acceptance: Acceptance, clock: Clock) -> None:
        self._catalog = catalog
        self._acceptance = acceptance
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. A store that fails is asked again."""
        while True:
            self._wake.clear()
            try:
                await self.fire_due()
                await self._sleep_until_due()
            except StoreError:
                log.exception("schedules of rules cannot be read; next try in %.0f s", _RETRY_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)

    async def fire_due(self) -> None:
        while due := await self._catalog.rules.due(now=self._clock.now(), limit=_BATCH):
            for each in due:
                await self._fire(each)

    async def _fire(self, due: Due[Rule]) -> None:
        """The rule's next time and what comes of this one are stored together, so that a time is fired once."""
        rule, now = due.value, self._clock.now()
        time = _latest(rule, due.due_at, now)
        event = new_event(
            source="aws.events",
            detail_type="Scheduled Event",
            detail={},
            account_id=rule.account_id,
            region=rule.region,
            time=time,
            resources=[rule.arn(partition_of(rule.region))],
        )
        deliveries = list(self._acceptance.deliveries_of(rule, event))
        with contextlib.suppress(NotFoundError, StaleRevisionError):  # it was changed meanwhile: look again
            await self._catalog.rules.advance(
                due.name, previous=rule, value=rule, due_at=next_time(rule, now), deliveries=deliveries
            )
            self._acceptance.scheduled(rule, deliveries)

    async def _sleep_until_due(self) -> None:
        due = await self._catalog.rules.next_due()
        seconds = _LOOK_SECONDS if due is None else max(0.0, min(_LOOK_SECONDS, due - self._clock.now()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)


def _latest(rule: Rule, due_at: float, now: float) -> float:
    """The last time up to now for which the rule was due, `due_at` being the first of those that were missed."""
    time = due_at
    if now - due_at > _DAY_SECONDS:  # of a rate of a minute, do not count the minutes of a year
        recent = next_time(rule, now - _DAY_SECONDS)
        time = recent if recent is not None and recent <= now else due_at
    while (following := next_time(rule, time)) is not None and following <= now:
        time = following
    return time
