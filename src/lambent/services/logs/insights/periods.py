"""Periods of time, such as 5m, and what they begin with.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from datetime import UTC, datetime, timedelta
from typing import Final

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_NAMES: Final = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mo": ("mo", "mon", "mons", "month", "months"),
    "q": ("q", "qtr", "qtrs", "quarter", "quarters"),
    "y": ("y", "yr", "yrs", "year", "years"),
}
UNITS: Final = {name: unit for unit, names in _NAMES.items() for name in names}
_LENGTHS_MS: Final = {"ms": 1, "s": _SECOND, "m": _MINUTE, "h": _HOUR, "d": _DAY, "w": 7 * _DAY}
_MONTHS: Final = {"mo": 1, "q": 3, "y": 12}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def floor_ms(time_ms: int, count: int, unit: str) -> int:
    """The beginning of the period that a time is in."""
    if unit in _LENGTHS_MS:
        length = count * _LENGTHS_MS[unit]
        return time_ms // length * length
    length = count * _MONTHS[unit]
    day = _EPOCH + timedelta(milliseconds=time_ms)
    return _month_ms(((day.year - 1970) * 12 + day.month - 1) // length * length)


def ceil_ms(time_ms: int, count: int, unit: str) -> int:
    """The beginning of the next period, or the time itself where it begins one."""
    floor = floor_ms(time_ms, count, unit)
    if floor == time_ms:
        return time_ms
    if unit in _LENGTHS_MS:
        return floor + count * _LENGTHS_MS[unit]
    day = _EPOCH + timedelta(milliseconds=floor)
    return _month_ms((day.year - 1970) * 12 + day.month - 1 + count * _MONTHS[unit])


def _month_ms(months: int) -> int:
    """Of months since January 1970."""
    first = datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC)
    return int((first - _EPOCH).total_seconds()) * 1000
