"""Values of fields: text, numbers, truth, moments; None is a field that a record does not have."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMALS = 4
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_CHUNKS = re.compile(r"\d+|\D+")


class Moment(int):
    """Milliseconds since 1970, shown as a date and a time. What is computed of one is a number."""

    __slots__ = ()


Value = str | int | float | None
"""Truth is the int 1 or 0, and bool where JSON said so."""


def number(value: Value) -> int | float | None:
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) is None:
            return None
        found = float(value)
        return int(found) if found.is_integer() and abs(found) < 2**53 else found
    return value


def text(value: Value) -> str | None:
    """As results show it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Moment):
        return moment_text(value)
    if isinstance(value, float):
        return _float_text(value)
    return str(int(value))


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if value.is_integer():
        return str(int(value))
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def moment_text(time_ms: int) -> str:
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return str(time_ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1000:03d}"


def truth(value: Value) -> bool:
    if isinstance(value, str):
        return value not in ("", "0", "false")
    return bool(value)


def equal(left: Value, right: Value) -> bool:
    """Numbers as numbers, whichever side is one; else as text."""
    if isinstance(left, bool) and isinstance(right, str):
        return truth(left) == truth(right) if right in ("true", "false", "1", "0") else False
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    a, b = number(left), number(right)
    return a == b if a is not None and b is not None else text(left) == text(right)


def before(left: Value, right: Value) -> bool:
    """left < right; two texts that are no numbers by their characters, a number and a text never."""
    a, b = number(left), number(right)
    if a is not None and b is not None:
        return a < b
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    return False


def order(value: Value) -> tuple[Any, ...]:
    """A key that sorts as AWS does: what is missing, texts (digits in them by length, then value), numbers."""
    if value is None:
        return (0,)
    as_number = number(value)
    if as_number is not None:
        return (2, as_number)
    assert isinstance(value, str)
    chunks = (
        ("0", len(chunk), chunk) if chunk[0].isdecimal() else (chunk, 0, "")
        for chunk in _CHUNKS.findall(value)
    )
    return (1, *chunks)
