"""Metric math: what an Expression of GetMetricData says.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from lambent.services.cloudwatch.expression_functions import (
    SORTED_BY,
    Node,
    function,
    interpolated,
    repeated,
    sort,
)
from lambent.services.cloudwatch.expression_values import (
    Band,
    Environment,
    ExpressionError,
    Search,
    Series,
    Value,
    as_series,
    combine,
    each,
)

__all__ = [
    "Band",
    "Environment",
    "Expression",
    "ExpressionError",
    "Search",
    "Series",
    "Value",
    "compile_expression",
]

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
_USUAL_WIDTH = 2.0
_FILLINGS = ([("name", "REPEAT")], [("name", "LINEAR")])


@dataclass(frozen=True, slots=True)
class Expression:
    """How to evaluate it, the names that it uses, and what is to be searched for and to be learned first."""

    node: Node
    names: frozenset[str]
    searches: Sequence[Search]
    bands: Sequence[Band] = ()


def compile_expression(text: str) -> Expression:
    """Raises ExpressionError."""
    parser = _Parser(text)
    node = parser.level(0)
    parser.expect_end()
    return Expression(node, frozenset(parser.names), tuple(parser.searches), tuple(parser.bands))


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self.names: set[str] = set()
        self.searches: list[Search] = []
        self.bands: list[Band] = []
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
            return lambda environment: each(lambda value: -value, inner(environment))
        return self._operand()

    def _operand(self) -> Node:
        kind, text = self._next()
        if kind == "number":
            number = float(text)
            return lambda environment: number
        if kind == "text":
            raise ExpressionError("a string is not a value; only METRICS() and SEARCH() take one")
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
        return lambda environment: [as_series(item(environment)) for item in items]

    def _call(self, name: str) -> Node:
        self._at += 1
        if name == "METRICS":
            return self._metrics()
        if name == "FILL" and (second := self._fill_word()):
            return second
        if name in ("SORT", "SEARCH"):
            return self._sort() if name == "SORT" else self._search()
        if name == "ANOMALY_DETECTION_BAND":
            return self._band()
        arguments = self._arguments(")")
        return function(name, arguments)

    def _metrics(self) -> Node:
        part = ""
        if self._tokens[self._at : self._at + 1] and self._tokens[self._at][0] == "text":
            part = self._next()[1][1:-1]
        if self._next()[1] != ")":
            raise ExpressionError("METRICS takes a string, or nothing")
        self.names.add("METRICS()")
        return lambda environment: [
            as_series(environment.series[name]) for name in environment.metrics if part in name
        ]

    def _fill_word(self) -> Node | None:
        """FILL(m1, REPEAT): the word is no name of a series."""
        start = self._at
        inner = self.level(0)
        if self._peek() == "," and self._tokens[self._at + 1 : self._at + 2] in _FILLINGS:
            self._at += 1
            fill = repeated if self._next()[1] == "REPEAT" else interpolated
            self._close()
            return lambda environment: _each_series(
                inner(environment), lambda series: fill(series, environment.moments)
            )
        self._at = start
        return None

    def _sort(self) -> Node:
        """SORT(METRICS(), SUM, DESC, 3)"""
        inner = self.level(0)
        by, order, most = self._word(SORTED_BY), self._word(("ASC", "DESC")), None
        if self._peek() == ",":
            self._at += 1
            kind, text = self._next()
            if kind != "number":
                raise ExpressionError("SORT takes a number of series")
            most = int(float(text))
        self._close()
        return lambda environment: sort(by, order == "DESC", most, _listed(inner(environment)))

    def _search(self) -> Node:
        """SEARCH('{AWS/Lambda,FunctionName} MetricName="Errors"', 'Sum', 300)"""
        kinds = [kind for kind, _ in self._tokens[self._at : self._at + 3]]
        if kinds != ["text", "symbol", "text"]:
            raise ExpressionError("SEARCH takes what to search for and a statistic, each in quotes")
        text, _, stat = (self._next()[1] for _ in range(3))
        period = None
        if self._peek() == ",":
            self._at += 1
            kind, number = self._next()
            if kind != "number":
                raise ExpressionError("SEARCH takes a period in seconds")
            period = int(float(number))
        self._close()
        search = Search(text[1:-1], stat[1:-1], period)
        self.searches.append(search)
        return lambda environment: environment.searches[search]

    def _band(self) -> Node:
        """ANOMALY_DETECTION_BAND(m1, 2)"""
        kind, id = self._next()
        if kind != "name":
            raise ExpressionError("ANOMALY_DETECTION_BAND takes the id of a metric or expression")
        width = _USUAL_WIDTH
        if self._peek() == ",":
            self._at += 1
            kind, number = self._next()
            if kind != "number":
                raise ExpressionError("ANOMALY_DETECTION_BAND takes a number of standard deviations")
            width = float(number)
        self._close()
        band = Band(id, width)
        self.names.add(id)
        self.bands.append(band)
        return lambda environment: environment.bands[band]

    def _word(self, known: Collection[str]) -> str:
        comma, word = self._next()[1], self._next()[1]
        if comma != "," or word not in known:
            raise ExpressionError(f"One of {', '.join(sorted(known))} is wanted")
        return word

    def _close(self) -> None:
        if self._next()[1] != ")":
            raise ExpressionError("')' is missing")

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
        return combine(operation, left(environment), right(environment))

    return evaluate


def _listed(value: Value) -> list[Series]:
    return value if isinstance(value, list) else [as_series(value)]


def _each_series(value: Value, change: Callable[[Series], Series]) -> Value:
    return [change(series) for series in value] if isinstance(value, list) else change(as_series(value))
