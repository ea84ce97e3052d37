"""Metric math: what an Expression of GetMetricData says, and its value over series.

A value is a number, a series (by time), or a list of series. Arithmetic between two series is done where both have a
point; a point that has no value (division by zero) is left out.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Union

Series = dict[int, float]
"""By epoch seconds at which a period begins."""
Value = Union[float, Series, "list[Series]"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<symbol>\|\||&&|==|!=|<=|>=|[-+*/^()\[\],<>]))"
)
_LEVELS: Sequence[Mapping[str, Callable[[float, float], float]]] = (
    {"||": lambda a, b: float(bool(a) or bool(b)), "OR": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b)), "AND": lambda a, b: float(bool(a) and bool(b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<=": lambda a, b: float(a <= b),
        ">=": lambda a, b: float(a >= b),
        "<": lambda a, b: float(a < b),
        ">": lambda a, b: float(a > b),
    },
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b},
    {"^": lambda a, b: float(a**b)},
)
"""Operators from the loosest to the tightest."""
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
_WITHOUT_VALUE = (ZeroDivisionError, ValueError, OverflowError)


class ExpressionError(Exception):
    """The expression cannot be read, or asks for what there is not. The message says what."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What names stand for; `period` is the queries' in seconds, `moments` when periods begin, all of them."""

    series: Mapping[str, Value]
    metrics: Sequence[str]
    """Names of those that are metrics, in their order: what METRICS() gives."""
    period: int
    moments: Sequence[int]


Node = Callable[[Environment], Value]


def compile_expression(text: str) -> tuple[Node, frozenset[str]]:
    """How to evaluate it, and the names that it uses. Raises ExpressionError."""
    parser = _Parser(text)
    node = parser.level(0)
    parser.expect_end()
    return node, frozenset(parser.names)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self.names: set[str] = set()
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise ExpressionError(f"Unexpected character '{text[position]}' at position {position}")
            kind = found.lastgroup
            assert kind is not None
            self._tokens.append((kind, found[kind]))
            position = found.end()

    def level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self._unary()
        node = self.level(depth + 1)
        while (symbol := self._peek()) in _LEVELS[depth]:
            self._at += 1
            node = _binary(_LEVELS[depth][symbol], node, self.level(depth + 1))
        return node

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise ExpressionError(f"Unexpected '{self._peek()}'")

    def _unary(self) -> Node:
        if self._peek() == "-":
            self._at += 1
            inner = self._unary()
            return lambda environment: _each(lambda value: -value, inner(environment))
        return self._operand()

    def _operand(self) -> Node:
        kind, text = self._next()
        if kind == "number":
            number = float(text)
            return lambda environment: number
        if kind == "text":
            raise ExpressionError("a string is not a value; only METRICS() takes one")
        if text in ("(", "["):
            return self._group(text)
        if kind != "name":
            raise ExpressionError(f"Unexpected '{text}'")
        if self._peek() == "(":
            return self._call(text)
        self.names.add(text)
        return lambda environment: environment.series[text]

    def _group(self, opening: str) -> Node:
        items = self._arguments(")" if opening == "(" else "]")
        if opening == "(" and len(items) == 1:
            return items[0]
        return lambda environment: [_as_series(item(environment)) for item in items]

    def _call(self, name: str) -> Node:
        self._at += 1
        if name == "METRICS":
            return self._metrics()
        if name == "FILL" and (second := self._fill_word()):
            return second
        arguments = self._arguments(")")
        return _function(name, arguments)

    def _metrics(self) -> Node:
        part = ""
        if self._tokens[self._at : self._at + 1] and self._tokens[self._at][0] == "text":
            part = self._next()[1][1:-1]
        if self._next()[1] != ")":
            raise ExpressionError("METRICS takes a string, or nothing")
        self.names.add("METRICS()")
        return lambda environment: [
            _as_series(environment.series[name]) for name in environment.metrics if part in name
        ]

    def _fill_word(self) -> Node | None:
        """FILL(m1, REPEAT): the word is no name of a series."""
        start = self._at
        inner = self.level(0)
        if self._peek() == "," and self._tokens[self._at + 1 : self._at + 2] == [("name", "REPEAT")]:
            self._at += 2
            if self._next()[1] != ")":
                raise ExpressionError("')' is missing")
            return lambda environment: _repeated(_as_series(inner(environment)), environment.moments)
        self._at = start
        return None

    def _arguments(self, closing: str) -> list[Node]:
        arguments: list[Node] = []
        if self._peek() == closing:
            self._at += 1
            return arguments
        while True:
            arguments.append(self.level(0))
            _, symbol = self._next()
            if symbol == closing:
                return arguments
            if symbol != ",":
                raise ExpressionError(f"'{closing}' is missing")

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ExpressionError("The expression ends too early")
        self._at += 1
        return self._tokens[self._at - 1]


def _binary(operation: Callable[[float, float], float], left: Node, right: Node) -> Node:
    def evaluate(environment: Environment) -> Value:
        return _combine(operation, left(environment), right(environment))

    return evaluate


def _combine(operation: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return [_as_series(_combine(operation, one, right)) for one in left]
    if isinstance(right, list):
        return [_as_series(_combine(operation, left, one)) for one in right]
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = {at: (left[at], right[at]) for at in left if at in right}
    elif isinstance(left, dict):
        assert isinstance(right, float)
        pairs = {at: (value, right) for at, value in left.items()}
    elif isinstance(right, dict):
        pairs = {at: (left, value) for at, value in right.items()}
    else:
        return operation(left, right)
    return _points({at: partial(operation, *pair) for at, pair in pairs.items()})


def _points(made: Mapping[int, Callable[[], float]]) -> Series:
    points: Series = {}
    for at, make in made.items():
        try:
            value = make()
        except _WITHOUT_VALUE:
            continue
        if isinstance(value, float | int) and math.isfinite(value):
            points[at] = float(value)
    return points


def _each(change: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [_as_series(_each(change, one)) for one in value]
    if isinstance(value, dict):
        return _points({at: partial(change, point) for at, point in value.items()})
    return float(change(value))


def _as_series(value: Value) -> Series:
    if not isinstance(value, dict):
        raise ExpressionError("a series is wanted here")
    return value


def _function(name: str, arguments: list[Node]) -> Node:
    if name in _OF_POINTS and len(arguments) == 1:
        return lambda environment: _each(_OF_POINTS[name], arguments[0](environment))
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
        several += value if isinstance(value, list) else [_as_series(value)]
    moments = sorted({at for series in several for at in series})
    return {at: float(operation([series[at] for series in several if at in series])) for at in moments}


def _repeated(series: Series, moments: Sequence[int]) -> Series:
    filled: Series = {}
    last: float | None = None
    for at in moments:
        last = series.get(at, last)
        if last is not None:
            filled[at] = last
    return filled


def _fill(environment: Environment, values: list[Value]) -> Value:
    series, filling = values
    if isinstance(series, list):
        return [_as_series(_fill(environment, [one, filling])) for one in series]
    if isinstance(filling, list):
        raise ExpressionError("FILL takes a number, a series or REPEAT")
    known = _as_series(series)
    if isinstance(filling, dict):
        return {**filling, **known}
    return {at: known.get(at, filling) for at in environment.moments}


def _if(environment: Environment, values: list[Value]) -> Value:
    condition = values[0]
    otherwise = values[2] if len(values) == 3 else {}
    if isinstance(condition, float):
        return values[1] if condition else otherwise
    chosen: Series = {}
    for at, holds in _as_series(condition).items():
        source = values[1] if holds else otherwise
        value = source.get(at) if isinstance(source, dict) else source
        if isinstance(value, float):
            chosen[at] = value
    return chosen


def _steps(change: Callable[[int, float], float]) -> Callable[[Environment, list[Value]], Value]:
    """Of each point and the one before it: seconds between them, and difference."""

    def evaluate(environment: Environment, values: list[Value]) -> Value:
        series = _as_series(values[0])
        moments = sorted(series)
        return {at: change(at - before, series[at] - series[before]) for before, at in pairwise(moments)}

    return evaluate


def _running_sum(environment: Environment, values: list[Value]) -> Value:
    series, total = _as_series(values[0]), 0.0
    sums: Series = {}
    for at in sorted(series):
        total += series[at]
        sums[at] = total
    return sums


def _time_series(environment: Environment, values: list[Value]) -> Value:
    if not isinstance(values[0], float):
        raise ExpressionError("TIME_SERIES takes a number")
    return dict.fromkeys(environment.moments, values[0])


_OTHERS: Mapping[str, tuple[tuple[int, ...], Callable[[Environment, list[Value]], Value]]] = {
    "FILL": ((2,), _fill),
    "IF": ((2, 3), _if),
    "DIFF": ((1,), _steps(lambda seconds, difference: difference)),
    "RATE": ((1,), _steps(lambda seconds, difference: difference / seconds)),
    "RUNNING_SUM": ((1,), _running_sum),
    "PERIOD": ((1,), lambda environment, values: float(environment.period)),
    "TIME_SERIES": ((1,), _time_series),
}
"""By name: how many arguments, and what becomes of them."""
