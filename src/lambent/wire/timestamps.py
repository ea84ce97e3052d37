"""AWS's three forms of a point in time, both ways.

Inside, a timestamp is an aware datetime; on the way out epoch seconds are accepted too. Forms are named as in
the models: iso8601, rfc822, unixTimestamp.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO8601 = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)

Moment = datetime | float | int


def epoch_seconds(moment: Moment) -> float | int:
    """Whole seconds as an int, so that 1700000000 is not written 1700000000.0."""
    if isinstance(moment, datetime):
        assert moment.tzinfo is not None, "a timestamp without time zone has no place in time"
        since = moment - EPOCH
        if not since.microseconds:
            return since.days * 86400 + since.seconds
        return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) / 1_000_000
    return int(moment) if moment == int(moment) else moment


def from_epoch(seconds: float | int) -> datetime:
    """Raises ValueError where no calendar has such a day."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error


def _as_datetime(moment: Moment) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else from_epoch(moment)


def format_iso8601(moment: Moment) -> str:
    """With milliseconds or microseconds only where there are any."""
    utc = _as_datetime(moment)
    if not utc.microsecond:
        return f"{utc:%Y-%m-%dT%H:%M:%S}Z" if utc.year >= 1000 else f"{utc.isoformat()[:19]}Z"
    precision = "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=precision)[:-6] + "Z"


def format_iso8601_milliseconds(moment: Moment) -> str:
    """S3's: always with milliseconds."""
    return _as_datetime(moment).isoformat(timespec="milliseconds")[:-6] + "Z"


def format_rfc822(moment: Moment) -> str:
    return _http_date(int(epoch_seconds(moment) // 1))


@lru_cache(maxsize=1024)
def _http_date(seconds: int) -> str:
    """Remembered, as it takes 8 µs, and the same objects are read again and again."""
    return formatdate(seconds, usegmt=True)


def format_unix(moment: Moment) -> str:
    return str(epoch_seconds(moment))


def parse_iso8601(text: str) -> datetime:
    """Raises ValueError. Without an offset it is UTC."""
    if not _ISO8601.fullmatch(text):
        raise ValueError(f"not an ISO 8601 timestamp: {text!r}")
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def parse_rfc822(text: str) -> datetime:
    """Raises ValueError."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not an HTTP date: {text!r}") from error


def parse_unix(text: str) -> datetime:
    """Raises ValueError."""
    return from_epoch(float(text))


FORMATS: dict[str, Callable[[Moment], str]] = {
    "iso8601": format_iso8601,
    "iso8601milliseconds": format_iso8601_milliseconds,
    "rfc822": format_rfc822,
    "unixtimestamp": format_unix,
}
PARSERS: dict[str, Callable[[str], datetime]] = {
    "iso8601": parse_iso8601,
    "rfc822": parse_rfc822,
    "unixtimestamp": parse_unix,
}
