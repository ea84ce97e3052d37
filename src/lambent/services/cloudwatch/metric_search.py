"""SEARCH of metric math: which metrics a search expression finds.

    {AWS/Lambda,FunctionName} MetricName="Errors" AND NOT (FunctionName="old" OR test)

In braces stand a namespace and the dimensions that a metric must have, all of them and no others. A term in double
quotes is the whole of a name or value, another one is found among the words of it. Terms are joined by AND where no
other word is; with `name=` they are about the metric's name, its namespace or one dimension, and there may be several
alternatives in parentheses.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lambent.model.tally import MetricKey
from lambent.services.cloudwatch.expression_values import ExpressionError, Search, Series
from lambent.services.cloudwatch.series import Window, read_statistic
from lambent.store.ports.metrics import MetricStore

Test = Callable[[MetricKey], bool]

_SCHEMA = re.compile(r"\s*\{([^{}]*)\}")
_TOKEN = re.compile(r'\s*(?:(?P<quoted>"[^"]*")|(?P<symbol>[()=])|(?P<word>[^\s()="{}]+))')
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DEPTH_MOST = 50
_SERIES_MOST = 500
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """`namespace` None: any."""

    namespace: str | None
    matches: Test


def parse_search(text: str) -> Found:
    """Raises ExpressionError."""
    schema = _SCHEMA.match(text)
    if schema is None:
        return Found(None, _Reader(text).test())
    namespace, *names = (name.strip().strip('"') for name in schema[1].split(","))
    dimensions = frozenset(names)
    rest = text[schema.end() :]
    test = _Reader(rest).test() if rest.strip() else lambda metric: True
    return Found(namespace, lambda metric: dict(metric.dimensions).keys() == dimensions and test(metric))


async def run_search(
    search: Search, account_id: str, region: str, window: Window, store: MetricStore
) -> list[tuple[MetricKey, Series]]:
    """The first 500 metrics, with data or without. Raises ExpressionError."""
    found = parse_search(search.text)
    own = replace(window, period=search.period or window.period)
    chosen: list[MetricKey] = []
    after, more = 0, True
    while more and len(chosen) < _SERIES_MOST:
        page = await store.page(account_id, region, namespace=found.namespace, after=after, limit=_PAGE)
        more = len(page) == _PAGE
        after = page[-1][0] if page else after
        chosen += [metric for _, metric in page if found.matches(metric)]
    return [
        (metric, (await read_statistic(store, metric, own, search.stat))[0])
        for metric in chosen[:_SERIES_MOST]
    ]


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._depth = 0
        text, position = text.rstrip(), 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise ExpressionError("the search cannot be read")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def test(self) -> Test:
        test = self._any()
        if self._at < len(self._tokens):
            raise ExpressionError(f"Unexpected {self._tokens[self._at][1]} in the search")
        return test

    def _any(self) -> Test:
        self._depth += 1
        if self._depth > _DEPTH_MOST:
            raise ExpressionError("the search is nested too deeply")
        tests = [self._all()]
        while self._took("OR"):
            tests.append(self._all())
        self._depth -= 1
        return lambda metric: any(test(metric) for test in tests)

    def _all(self) -> Test:
        tests = [self._negated()]
        while self._took("AND") or self._peek() not in ("", ")", "OR"):
            tests.append(self._negated())
        return lambda metric: all(test(metric) for test in tests)

    def _negated(self) -> Test:
        if self._took("NOT"):
            test = self._negated()
            return lambda metric: not test(metric)
        if self._took("("):
            test = self._any()
            self._require(")")
            return test
        return self._term()

    def _term(self) -> Test:
        text = self._text()
        if not self._took("="):
            found = _comparison(text)
            return lambda metric: any(found(value) for value in _values(metric))
        name = text.strip('"')
        wanted = self._alternatives() if self._took("(") else [_comparison(self._text())]
        return lambda metric: any(one(value) for value in _named(metric, name) for one in wanted)

    def _alternatives(self) -> list[Callable[[str], bool]]:
        """("orders" OR "payments")"""
        found = [_comparison(self._text())]
        while self._took("OR"):
            found.append(_comparison(self._text()))
        self._require(")")
        return found

    def _text(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind not in ("quoted", "word"):
            raise ExpressionError("a name or a value is wanted in the search")
        self._at += 1
        return text

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _took(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _require(self, word: str) -> None:
        if not self._took(word):
            raise ExpressionError(f"{word} is missing in the search")


def _comparison(text: str) -> Callable[[str], bool]:
    if text.startswith('"'):
        return lambda value: value == text[1:-1]
    wanted = _words(text)
    return lambda value: wanted <= _words(value) or text.lower() == value.lower()


def _words(text: str) -> frozenset[str]:
    """Of MyLambda-2: my, lambda and 2."""
    return frozenset(word.lower() for word in _WORD.findall(text))


def _values(metric: MetricKey) -> Sequence[str]:
    return [metric.name, metric.namespace, *(text for pair in metric.dimensions for text in pair)]


def _named(metric: MetricKey, name: str) -> Sequence[str]:
    if name == "MetricName":
        return [metric.name]
    if name == "Namespace":
        return [metric.namespace]
    return [value for key, value in metric.dimensions if key == name]
