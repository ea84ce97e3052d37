"""Values of metric math: a number, a series (by time), or a list of series; and arithmetic between them.

Between two series it is done where both have a point; a point that has no value (division by zero) is left out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Union

Series = dict[int, float]
"""By epoch seconds at which a period begins."""
Value = Union[float, Series, "list[Series]"]

_WITHOUT_VALUE = (ZeroDivisionError, ValueError, OverflowError)


class ExpressionError(Exception):
    """The expression cannot be read, or asks for what there is not. The message says what."""


@dataclass(frozen=True, slots=True)
class Search:
    """Of metrics by what they are called; see metric_search. `period` is in seconds; None: the request's."""

    text: str
    stat: str
    period: int | None


@dataclass(frozen=True, slots=True)
class Band:
    """Of what the metric or expression of this id is expected to be; `width` is in standard deviations."""

    id: str
    width: float


@dataclass(frozen=True, slots=True)
class Environment:
    """What names stand for; `period` is the queries' in seconds, `moments` when periods begin, all of them."""

    series: Mapping[str, Value]
    metrics: Sequence[str]
    """Names of those that are metrics, in their order: what METRICS() gives."""
    period: int
    moments: Sequence[int]
    searches: Mapping[Search, list[Series]] = field(default_factory=dict)
    """What was found."""
    bands: Mapping[Band, list[Series]] = field(default_factory=dict)
    """The upper and the lower limit."""


def combine(operation: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return [as_series(combine(operation, one, right)) for one in left]
    if isinstance(right, list):
        return [as_series(combine(operation, left, one)) for one in right]
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = {at: (left[at], right[at]) for at in left if at in right}
    elif isinstance(left, dict):
        assert isinstance(right, float)
        pairs = {at: (value, right) for at, value in left.items()}
    elif isinstance(right, dict):
        pairs = {at: (left, value) for at, value in right.items()}
    else:
        return operation(left, right)
    return points({at: partial(operation, *pair) for at, pair in pairs.items()})


def points(made: Mapping[int, Callable[[], float]]) -> Series:
    points: Series = {}
    for at, make in made.items():
        try:
            value = make()
        except _WITHOUT_VALUE:
            continue
        if isinstance(value, float | int) and math.isfinite(value):
            points[at] = float(value)
    return points


def each(change: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [as_series(each(change, one)) for one in value]
    if isinstance(value, dict):
        return points({at: partial(change, point) for at, point in value.items()})
    return float(change(value))


def as_series(value: Value) -> Series:
    if not isinstance(value, dict):
        raise ExpressionError("a series is wanted here")
    return value
