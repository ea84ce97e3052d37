"""The functions of metric math.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from lambent.services.cloudwatch.expression_values import (
    Environment,
    ExpressionError,
    Series,
    Value,
    as_series,
    each,
)

Node = Callable[[Environment], Value]

_OF_POINTS: Mapping[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": math.log,
    "LOG10": math.log10,
}
_OF_MANY: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": statistics.fmean,
    "MIN": min,
    "MAX": max,
    "STDDEV": statistics.pstdev,
}
SORTED_BY = frozenset(_OF_MANY)


def function(name: str, arguments: list[Node]) -> Node:
    """Raises ExpressionError where there is none of that name, or not with so many arguments."""
    if name in _OF_POINTS and len(arguments) == 1:
        return lambda environment: each(_OF_POINTS[name], arguments[0](environment))
    if name in _OF_MANY and arguments:
        return lambda environment: _reduce(_OF_MANY[name], [one(environment) for one in arguments])
    if name in _OTHERS and len(arguments) in _OTHERS[name][0]:
        return lambda environment: _OTHERS[name][1](environment, [one(environment) for one in arguments])
    raise ExpressionError(f"Lambent does not offer {name} with {len(arguments)} arguments")


def _reduce(operation: Callable[[Sequence[float]], float], values: list[Value]) -> Value:
    """Of several series, point by point; of one, to a number."""
    if len(values) == 1 and isinstance(values[0], dict):
        return operation(list(values[0].values())) if values[0] else 0.0
    several: list[Series] = []
    for value in values:
        several += value if isinstance(value, list) else [as_series(value)]
    moments = sorted({at for series in several for at in series})
    return {at: float(operation([series[at] for series in several if at in series])) for at in moments}


def repeated(series: Series, moments: Sequence[int]) -> Series:
    """Each gap has the value before it."""
    filled: Series = {}
    last: float | None = None
    for at in moments:
        last = series.get(at, last)
        if last is not None:
            filled[at] = last
    return filled


def interpolated(series: Series, moments: Sequence[int]) -> Series:
    """Each gap lies on a line between its neighbours."""
    filled = dict(series)
    for before, after in pairwise(sorted(series)):
        slope = (series[after] - series[before]) / (after - before)
        filled |= {at: series[before] + slope * (at - before) for at in moments if before < at < after}
    return dict(sorted(filled.items()))


def sort(by: str, descending: bool, most: int | None, several: Sequence[Series]) -> list[Series]:
    """Series without points are left out."""
    known = [series for series in several if series]
    known.sort(key=lambda series: _OF_MANY[by](list(series.values())), reverse=descending)
    return known[:most]


def _fill(environment: Environment, values: list[Value]) -> Value:
    series, filling = values
    if isinstance(series, list):
        return [as_series(_fill(environment, [one, filling])) for one in series]
    if isinstance(filling, list):
        raise ExpressionError("FILL takes a number, a series or REPEAT")
    known = as_series(series)
    if isinstance(filling, dict):
        return {**filling, **known}
    return {at: known.get(at, filling) for at in environment.moments}


def _if(environment: Environment, values: list[Value]) -> Value:
    condition = values[0]
    otherwise = values[2] if len(values) == 3 else {}
    if isinstance(condition, float):
        return values[1] if condition else otherwise
    chosen: Series = {}
    for at, holds in as_series(condition).items():
        source = values[1] if holds else otherwise
        value = source.get(at) if isinstance(source, dict) else source
        if isinstance(value, float):
            chosen[at] = value
    return chosen


def _steps(change: Callable[[int, float], float]) -> Callable[[Environment, list[Value]], Value]:
    """Of each point and the one before it: seconds between them, and difference."""

    def evaluate(environment: Environment, values: list[Value]) -> Value:
        series = as_series(values[0])
        moments = sorted(series)
        return {at: change(at - before, series[at] - series[before]) for before, at in pairwise(moments)}

    return evaluate


def _running_sum(environment: Environment, values: list[Value]) -> Value:
    series, total = as_series(values[0]), 0.0
    sums: Series = {}
    for at in sorted(series):
        total += series[at]
        sums[at] = total
    return sums


def _time_series(environment: Environment, values: list[Value]) -> Value:
    if not isinstance(values[0], float):
        raise ExpressionError("TIME_SERIES takes a number")
    return dict.fromkeys(environment.moments, values[0])


def _list(value: Value) -> list[Series]:
    return value if isinstance(value, list) else [as_series(value)]


def _slice(environment: Environment, values: list[Value]) -> Value:
    start, *end = (value if isinstance(value, float) else -1 for value in values[1:])
    if min(start, *end, 0) < 0:
        raise ExpressionError("SLICE takes series, and numbers from 0 on")
    return _list(values[0])[int(start) : int(end[0]) if end else None]


def _of_list(choose: Callable[[list[Series]], Value]) -> Callable[[Environment, list[Value]], Value]:
    return lambda environment, values: choose(_list(values[0]))


def _calendar(part: Callable[[datetime], int]) -> Callable[[Environment, list[Value]], Value]:
    """What UTC's calendar says of the moment at which each point's period begins."""
    return lambda environment, values: {
        at: float(part(datetime.fromtimestamp(at, UTC))) for at in as_series(values[0])
    }


_OTHERS: Mapping[str, tuple[tuple[int, ...], Callable[[Environment, list[Value]], Value]]] = {
    "FILL": ((2,), _fill),
    "IF": ((2, 3), _if),
    "FIRST": ((1,), _of_list(lambda several: several[0] if several else {})),
    "LAST": ((1,), _of_list(lambda several: several[-1] if several else {})),
    "SLICE": ((2, 3), _slice),
    "REMOVE_EMPTY": ((1,), _of_list(lambda several: [series for series in several if series])),
    "METRIC_COUNT": ((1,), _of_list(lambda several: float(len(several)))),
    "DATAPOINT_COUNT": ((1,), _of_list(lambda several: float(sum(map(len, several))))),
    "EPOCH": ((1,), _calendar(lambda moment: int(moment.timestamp()))),
    "MINUTE": ((1,), _calendar(lambda moment: moment.minute)),
    "HOUR": ((1,), _calendar(lambda moment: moment.hour)),
    "DAY": ((1,), _calendar(lambda moment: moment.isoweekday())),
    "DATE": ((1,), _calendar(lambda moment: moment.day)),
    "MONTH": ((1,), _calendar(lambda moment: moment.month)),
    "YEAR": ((1,), _calendar(lambda moment: moment.year)),
    "DIFF_TIME": ((1,), _steps(lambda seconds, difference: float(seconds))),
    "DIFF": ((1,), _steps(lambda seconds, difference: difference)),
    "RATE": ((1,), _steps(lambda seconds, difference: difference / seconds)),
    "RUNNING_SUM": ((1,), _running_sum),
    "PERIOD": ((1,), lambda environment, values: float(environment.period)),
    "TIME_SERIES": ((1,), _time_series),
}
"""By name: how many arguments, and what becomes of them."""
