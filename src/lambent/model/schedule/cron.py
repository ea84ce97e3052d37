"""AWS's cron: minutes, hours, day of the month, month, day of the week, year.

Sunday is day 1 of the week. One of the two days must be "?". L, W and # are as in Quartz: L the last day, 5W the
weekday nearest to the 5th, 6L the last Friday, 3#2 the second Tuesday.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from lambent.model.schedule.invalid import InvalidScheduleError
from lambent.model.schedule.local_time import moment_of

_YEAR_LAST = 2199
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_ELEMENT = re.compile(r"(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/([0-9]+))?")
_NEAREST = re.compile(r"([0-9]{1,2})W")
_LAST = re.compile(r"([1-7]|[A-Z]{3})L")
_NTH = re.compile(r"([1-7]|[A-Z]{3})#([1-5])")

DayTest = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    day: DayTest

    def next(self, after: float, zone: tzinfo) -> float | None:
        """The first moment later than `after`."""
        begin = datetime.fromtimestamp(after, UTC).astimezone(zone).date()
        for day in self._days(begin):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    local = datetime(day.year, day.month, day.day, hour, minute)
                    moment = moment_of(local, zone)
                    if moment is not None and moment > after:
                        return moment
        return None

    def _days(self, begin: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= begin.year):
            for month in sorted(self.months):
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= begin and self.day(day):
                        yield day


def parse_cron(text: str) -> Cron:
    """Of what is between the parentheses. Raises InvalidScheduleError."""
    fields = text.split(" ")
    if len(fields) != 6:
        raise InvalidScheduleError(text)
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise InvalidScheduleError(text)
    return Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _numbers(months, 1, 12, _MONTHS),
        _numbers(years, 1970, _YEAR_LAST),
        _weekday(weekdays) if days == "?" else _day_of_month(days),
    )


def _numbers(text: str, least: int, most: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    """A list of numbers, names, ranges, * and steps."""
    numbers: set[int] = set()
    for element in text.split(","):
        found = _ELEMENT.fullmatch(element)
        if found is None or (found[1] == "*" and found[2]):
            raise InvalidScheduleError(text)
        if found[1] == "*":
            first, last = least, most
        else:
            first = _number(found[1], names)
            last = _number(found[2], names) if found[2] else (most if found[3] else first)
        step = int(found[3] or 1)
        if not (least <= first <= last <= most and 1 <= step <= most):
            raise InvalidScheduleError(text)
        numbers.update(range(first, last + 1, step))
    return frozenset(numbers)


def _number(text: str, names: Mapping[str, int] | None) -> int:
    if text.isdigit():
        return int(text)
    if names is None or text not in names:
        raise InvalidScheduleError(text)
    return names[text]


def _day_of_month(text: str) -> DayTest:
    if text == "L":
        return lambda day: day.day == _last_day(day)
    if text == "LW":
        return lambda day: day == _nearest_weekday(day.replace(day=_last_day(day)))
    if found := _NEAREST.fullmatch(text):
        number = int(found[1])
        if not 1 <= number <= 31:
            raise InvalidScheduleError(text)
        return lambda day: number <= _last_day(day) and day == _nearest_weekday(day.replace(day=number))
    numbers = _numbers(text, 1, 31)
    return lambda day: day.day in numbers


def _weekday(text: str) -> DayTest:
    if text == "L":
        return lambda day: _of_week(day) == 7
    if found := _LAST.fullmatch(text):
        last = _number(found[1], _DAYS)
        return lambda day: _of_week(day) == last and day.day + 7 > _last_day(day)
    if found := _NTH.fullmatch(text):
        which, nth = _number(found[1], _DAYS), int(found[2])
        return lambda day: _of_week(day) == which and (day.day - 1) // 7 + 1 == nth
    numbers = _numbers(text, 1, 7, _DAYS)
    return lambda day: _of_week(day) in numbers


def _of_week(day: date) -> int:
    """Sunday is 1."""
    return day.isoweekday() % 7 + 1


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date) -> date:
    """Monday to Friday, nearest to `day` and in its month."""
    if day.isoweekday() == 6:
        return day + timedelta(days=2 if day.day == 1 else -1)
    if day.isoweekday() == 7:
        return day + timedelta(days=-2 if day.day == _last_day(day) else 1)
    return day
