"""The values of SQL expressions and what can be done with them: null and what is missing make a condition neither true
nor false, and text that reads as a number is one beside a number.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-operators.html
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from lambent.services.s3.select.errors import CastFailed


class Missing:
    """What a path leads to where there is nothing: unlike null, it is not even written."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()
Number = int | float


class CsvRecord(dict[str, Any]):
    """Its values have their places as names, too: _1, _2, …"""


def is_absent(value: Any) -> bool:
    return value is None or value is MISSING


def member(value: Any, name: str, exact: bool) -> Any:
    """Of an object. Names are told apart by case only where they were quoted."""
    if not isinstance(value, Mapping):
        return MISSING
    if name in value:
        return value[name]
    if not exact:
        lowered = name.lower()
        for key, found in value.items():
            if key.lower() == lowered:
                return found
    if isinstance(value, CsvRecord) and re.fullmatch(r"_[1-9]\d{0,5}", name):
        values = list(value.values())
        place = int(name[1:]) - 1
        return values[place] if place < len(values) else MISSING
    return MISSING


def element(value: Any, index: int) -> Any:
    return value[index] if isinstance(value, list) and index < len(value) else MISSING


def number_of(value: Any) -> Number | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COMPARISONS = frozenset(_COMPARISONS)


def compare(sign: str, left: Any, right: Any) -> bool | None:
    if is_absent(left) or is_absent(right):
        return None
    kinds = {type(left), type(right)}
    if str in kinds and kinds & {int, float}:
        left, right = number_of(left), number_of(right)
        if left is None or right is None:
            return None
    elif len(kinds) > 1 and not kinds <= {int, float}:
        return {"=": False, "!=": True, "<>": True}.get(sign)
    try:
        return _COMPARISONS[sign](left, right)
    except TypeError:
        return None


def calculate(sign: str, left: Any, right: Any) -> Any:
    """Null where either is none. Raises CastFailed for what is no number, and for a division by zero."""
    if is_absent(left) or is_absent(right):
        return None
    a, b = number_of(left), number_of(right)
    if a is None or b is None or (sign in "/%" and b == 0):
        raise CastFailed()
    whole = isinstance(a, int) and isinstance(b, int)
    match sign:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "%":
            return int(abs(a) % abs(b)) * (1 if a >= 0 else -1) if whole else a % b
    return int(abs(a) // abs(b)) * (1 if (a >= 0) == (b >= 0) else -1) if whole else a / b


@lru_cache(maxsize=256)
def _like(pattern: str, escape: str) -> re.Pattern[str]:
    text, at = [], 0
    while at < len(pattern):
        one = pattern[at]
        if escape and one == escape and at + 1 < len(pattern):
            at += 1
            text.append(re.escape(pattern[at]))
        else:
            text.append({"%": ".*", "_": "."}.get(one, re.escape(one)))
        at += 1
    return re.compile("".join(text), re.DOTALL)


def like(value: Any, pattern: Any, escape: Any) -> bool | None:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return None
    return _like(pattern, escape if isinstance(escape, str) else "").fullmatch(value) is not None


def cast(value: Any, kind: str) -> Any:
    """Raises CastFailed."""
    if is_absent(value):
        return value
    match kind:
        case "string" | "char" | "character" | "varchar":
            return text_of(value)
        case "bool" | "boolean":
            known = {"true": True, "false": False, "1": True, "0": False}.get(text_of(value).lower())
            if known is not None:
                return known
        case "int" | "integer":
            found = number_of(value)
            if found is not None and abs(found) < 2**63:
                return int(found)
        case "float" | "decimal" | "numeric" | "double":
            found = number_of(value)
            if found is not None:
                return float(found)
    raise CastFailed()


def text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
