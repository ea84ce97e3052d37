"""When a schedule runs: its expression, in its time zone, within its start and end.

When the server was down at the time of a schedule, that is made up for once at the next start, with the latest time
that was missed; earlier ones are skipped.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lambent.model.error import ValidationException
from lambent.model.schedule import InvalidScheduleError, Once, Schedule, parse_schedule
from lambent.model.schedule_record import ScheduleRecord

_MOMENT = 1e-3


def parse(expression: str, time_zone: str) -> Schedule:
    """Raises ValidationException."""
    try:
        return parse_schedule(expression, _zone(time_zone), any_number=True)
    except InvalidScheduleError:
        raise ValidationException(f"Invalid Schedule Expression {expression}.") from None


def first_time(record: ScheduleRecord, now: float, previous: ScheduleRecord | None = None) -> float | None:
    """Of a schedule that is new or changed. A rate that begins now runs at once, and so does one that is for a time
    which has passed, where that time is new: its request may have come late."""
    is_new = previous is None or not is_for_the_same(record, previous)
    if is_new and record.state != "DISABLED":
        schedule = parse(record.expression, record.time_zone)
        if isinstance(schedule, Once):
            return schedule.moment
    return next_time(record, now - _MOMENT)


def is_once(record: ScheduleRecord) -> bool:
    return isinstance(parse(record.expression, record.time_zone), Once)


def is_for_the_same(record: ScheduleRecord, previous: ScheduleRecord) -> bool:
    return (record.expression, record.time_zone) == (previous.expression, previous.time_zone)


def next_time(record: ScheduleRecord, after: float) -> float | None:
    """None where it does not run any more."""
    if record.state == "DISABLED":
        return None
    schedule = parse(record.expression, record.time_zone)
    if isinstance(schedule, Once):  # of which neither start nor end is regarded
        return schedule.next(after, since=after)
    if record.start is None:
        # It began to count later only where the clock was set back since.
        since = record.since if record.since <= after + 2 * _MOMENT else after
        moment = schedule.next(after, since=since)
    else:
        moment = schedule.next(max(after, record.start - _MOMENT), since=record.start)
    return None if moment is None or (record.end is not None and moment > record.end) else moment


def _zone(name: str) -> tzinfo:
    """Raises ValidationException."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationException(f"Invalid Schedule Expression Timezone {name}.") from None
