"""Metrics Insights: queries over all metrics of a name, in a language like SQL.

    FUNCTION(metric) of a namespace or SCHEMA("AWS/EC2", InstanceId), where InstanceId != 'i-1' AND Zone = 'a',
    grouped by InstanceId, Zone, ordered by MAX() DESC, with a LIMIT of 10

Only metrics count that have all the dimensions that a query names.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
"""

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lambent.model.tally import MetricKey, Tally, merged
from lambent.services.cloudwatch.expression import ExpressionError, Series
from lambent.services.cloudwatch.series import Window, read_periods
from lambent.store.ports.metrics import MetricStore

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<value>'(?:[^'\\]|\\.|'')*')|(?P<symbol>!=|[=(),])"
    r"|(?P<word>[A-Za-z0-9_.:/*-]+))"
)
_ESCAPED = re.compile(r"\\(.)|''")
_FUNCTIONS = {"AVG": "Average", "COUNT": "SampleCount", "MAX": "Maximum", "MIN": "Minimum", "SUM": "Sum"}
_ORDERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "COUNT": lambda values: float(len(values)),
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
}
_SERIES_MOST = 500
_METRICS_MOST = 10_000
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsQuery:
    """`schema` are the dimensions that metrics must have exactly (None: any); `where` are (dimension, is equal, value);
    `order` is a function of a group's values, and whether the greatest comes first."""

    function: str
    metric: str
    namespace: str
    schema: frozenset[str] | None
    where: Sequence[tuple[str, bool, str]]
    group_by: Sequence[str]
    order: tuple[str, bool] | None
    limit: int

    def matches(self, metric: MetricKey) -> bool:
        has = dict(metric.dimensions)
        if self.schema is not None and has.keys() != self.schema:
            return False
        return all(name in has for name in self.group_by) and all(
            name in has and (has[name] == value) is equal for name, equal, value in self.where
        )


Group = tuple[str, ...]


def is_query(expression: str) -> bool:
    return re.match(r"\s*SELECT\s", expression, re.IGNORECASE) is not None


def parse_query(text: str) -> InsightsQuery:
    """Raises ExpressionError."""
    return _Reader(text).query()


async def run_query(
    query: InsightsQuery, account_id: str, region: str, window: Window, store: MetricStore
) -> Mapping[Group, Series]:
    """By the values of what it groups by, in its order. Without GROUP BY there is one series, at least an empty one."""
    by_group: dict[Group, dict[int, list[Tally]]] = {} if query.group_by else {(): {}}
    for metric in await _matching(query, account_id, region, store):
        has = dict(metric.dimensions)
        moments = by_group.setdefault(tuple(has[name] for name in query.group_by), {})
        for (at, _), tally in (await read_periods(store, metric, window)).items():
            moments.setdefault(at, []).append(tally)
    statistic = _FUNCTIONS[query.function]
    found = {
        group: dict(sorted(_values(moments, statistic).items()))
        for group, moments in sorted(by_group.items())
        if moments or not query.group_by
    }
    return dict(_ordered(query, found)[: query.limit])


def _values(moments: Mapping[int, Sequence[Tally]], statistic: str) -> Series:
    values = {at: merged(tallies).statistic(statistic) for at, tallies in moments.items()}
    return {at: value for at, value in values.items() if value is not None}


def _ordered(query: InsightsQuery, found: Mapping[Group, Series]) -> list[tuple[Group, Series]]:
    groups = list(found.items())
    if query.order is not None:
        function, descending = query.order
        groups.sort(key=lambda one: _ORDERS[function](list(one[1].values()) or [0.0]), reverse=descending)
    return groups


async def _matching(
    query: InsightsQuery, account_id: str, region: str, store: MetricStore
) -> list[MetricKey]:
    found: list[MetricKey] = []
    after, more = 0, True
    while more and len(found) < _METRICS_MOST:
        page = await store.page(
            account_id, region, namespace=query.namespace, name=query.metric, after=after, limit=_PAGE
        )
        more = len(page) == _PAGE
        after = page[-1][0] if page else after
        found += [metric for _, metric in page if query.matches(metric)]
    return found[:_METRICS_MOST]


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        text, position = text.rstrip(), 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise ExpressionError(f"Unexpected character '{text[position:].lstrip()[:1]}' in the query")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def query(self) -> InsightsQuery:
        self._expect("SELECT")
        function = self._function()
        self._expect("(")
        metric = self._name()
        self._expect(")")
        self._expect("FROM")
        namespace, schema = self._source()
        read = InsightsQuery(
            function=function,
            metric=metric,
            namespace=namespace,
            schema=schema,
            where=self._conditions() if self._took("WHERE") else (),
            group_by=self._groups() if self._took("GROUP") else (),
            order=self._order() if self._took("ORDER") else None,
            limit=self._limit() if self._took("LIMIT") else _SERIES_MOST,
        )
        if self._at < len(self._tokens):
            raise self._unexpected()
        return read if read.group_by else replace(read, order=None)

    def _source(self) -> tuple[str, frozenset[str] | None]:
        if self._peek() != "SCHEMA":
            return self._name(), None
        self._expect("SCHEMA")
        self._expect("(")
        namespace, names = self._name(), list[str]()
        while self._took(","):
            names.append(self._name())
        self._expect(")")
        return namespace, frozenset(names)

    def _conditions(self) -> list[tuple[str, bool, str]]:
        conditions = [self._condition()]
        while self._took("AND"):
            conditions.append(self._condition())
        return conditions

    def _condition(self) -> tuple[str, bool, str]:
        name = self._name()
        equal = self._peek() == "="
        self._expect("=" if equal else "!=")
        kind, text = self._next()
        if kind != "value":
            raise ExpressionError(f"A value in single quotes is wanted, not {text}")
        return name, equal, _unquoted(text)

    def _groups(self) -> list[str]:
        self._expect("BY")
        names = [self._name()]
        while self._took(","):
            names.append(self._name())
        return names

    def _order(self) -> tuple[str, bool]:
        self._expect("BY")
        function = self._function()
        self._expect("(")
        self._expect(")")
        if self._took("DESC"):
            return function, True
        self._took("ASC")
        return function, False

    def _limit(self) -> int:
        _, text = self._next()
        if not text.isdigit() or not 1 <= int(text) <= _SERIES_MOST:
            raise ExpressionError(f"LIMIT must be between 1 and {_SERIES_MOST}")
        return int(text)

    def _function(self) -> str:
        if self._peek() not in _FUNCTIONS:
            raise self._unexpected()
        return self._next()[1].upper()

    def _name(self) -> str:
        kind, text = self._next()
        if kind not in ("quoted", "word"):
            raise ExpressionError(f"A name is wanted, not {text}")
        return _unquoted(text) if kind == "quoted" else text

    def _peek(self) -> str:
        """Keywords are in capitals or not; what is in quotes is none."""
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return text.upper() if kind in ("word", "symbol") else ""

    def _took(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._unexpected()

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._unexpected()
        self._at += 1
        return self._tokens[self._at - 1]

    def _unexpected(self) -> ExpressionError:
        if self._at >= len(self._tokens):
            return ExpressionError("The query ends too early")
        return ExpressionError(f"Unexpected {self._tokens[self._at][1]} in the query")


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: found[1] or "'", text[1:-1])
