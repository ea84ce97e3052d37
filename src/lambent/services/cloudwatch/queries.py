"""The queries of GetMetricData, and of alarms: metrics and expressions over them, evaluated over a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambent.model.error import ValidationException
from lambent.model.extended_statistic import parse_statistic
from lambent.model.tally import MetricKey
from lambent.services.cloudwatch.anomalies.models import Models
from lambent.services.cloudwatch.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
)
from lambent.services.cloudwatch.expression import (
    Band,
    Environment,
    Expression,
    ExpressionError,
    Search,
    Series,
    Value,
    compile_expression,
)
from lambent.services.cloudwatch.input import dimensions_of
from lambent.services.cloudwatch.labels import About, about_metric, default_labels, found_label, label_of
from lambent.services.cloudwatch.metric_search import parse_search, run_search
from lambent.services.cloudwatch.metrics_insights import InsightsQuery, is_query, parse_query, run_query
from lambent.services.cloudwatch.series import Window, read_statistic
from lambent.services.cloudwatch.statistics import require_period
from lambent.store.ports.metrics import MetricStore

_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`series` are several where an expression gives several; each has its label. `units` are those of a metric's
    measurements where they were more than one, and only the first of them counted."""

    id: str
    labels: Sequence[str]
    series: Sequence[Series]
    returned: bool
    units: Sequence[str] = ()


def check_queries(queries: Sequence[Mapping[str, Any]]) -> None:
    """Raises where one cannot be evaluated, whatever the data."""
    ids = [query["Id"] for query in queries]
    for number, query in enumerate(queries, 1):
        at = f"MetricDataQueries.member.{number}"
        if ids.count(query["Id"]) > 1:
            raise InvalidParameterValueException(f"The value {query['Id']} for parameter Id is not unique.")
        if not query["Id"][:1].islower():
            raise InvalidParameterValueException(
                f"The value {query['Id']} for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            )
        if "MetricStat" not in query and "Expression" not in query:
            raise ValidationException(f"The parameter {at}.MetricStat is required.\n")
        if "MetricStat" in query and "Expression" in query:
            raise InvalidParameterCombinationException(
                f"The parameters {at}.MetricStat and {at}.Expression are mutually exclusive and you have "
                "specified both."
            )
        if "MetricStat" in query:
            _check_stat(query["MetricStat"])
        elif is_query(query["Expression"]):
            _insights(query)
        else:
            compiled = _compiled(query)
            _check_searches(query, compiled)
            unknown = sorted(compiled.names - set(ids) - {"METRICS()"})
            if unknown:
                raise InvalidParameterValueException(
                    f"Error in expression '{query['Id']}': there is no metric or expression {unknown[0]}"
                )
            for band in compiled.bands:
                _needed(queries, band.id)
    if sum(is_query(query.get("Expression", "")) for query in queries) > 1:
        raise ValidationException("Only one Metrics Insights query is allowed per request.")


def period_of(queries: Sequence[Mapping[str, Any]]) -> int:
    """The coarsest of them all: what expressions are evaluated by."""
    periods: list[int] = [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]
    periods += [query["Period"] for query in queries if query.get("Period")]
    return max(periods, default=60)


async def evaluate(
    queries: Sequence[Mapping[str, Any]],
    account_id: str,
    region: str,
    window: Window,
    store: MetricStore,
    models: Models,
) -> list[Result]:
    """In the order of the queries. Raises InvalidParameterValueException where an expression does not fit its data."""
    run = _Run(queries, account_id, region, window, store, models)
    await run.read_metrics()
    await run.read_groups()
    await run.search_and_learn()
    run.compute()
    return [run.result(query) for query in queries]


class _Run:
    """One evaluation. `_about` says of single series what they are, by their identity: what only chooses among series
    passes them on as they are."""

    def __init__(
        self,
        queries: Sequence[Mapping[str, Any]],
        account_id: str,
        region: str,
        window: Window,
        store: MetricStore,
        models: Models,
    ) -> None:
        self._queries = queries
        self._account_id, self._region = account_id, region
        self._window = window
        self._store = store
        self._models = models
        self._labels = default_labels(queries)
        self._values: dict[str, Value] = {}
        self._units: dict[str, Sequence[str]] = {}
        self._about: dict[int, About] = {}
        self._searches: dict[Search, list[Series]] = {}
        self._bands: dict[Band, list[Series]] = {}

    async def read_metrics(self) -> None:
        for query in self._queries:
            if stat := query.get("MetricStat"):
                name, key = query["Id"], self._key(stat["Metric"])
                own = replace(self._window, period=stat["Period"])
                series, units = await read_statistic(self._store, key, own, stat["Stat"], stat.get("Unit"))
                self._values[name], self._units[name] = series, units
                self._about[id(series)] = about_metric(key, stat["Stat"], stat["Period"], self._labels[name])

    async def read_groups(self) -> None:
        """Of a query of Metrics Insights."""
        for query in self._queries:
            if is_query(query.get("Expression", "")):
                name, asked = query["Id"], _insights(query)
                own = replace(self._window, period=query.get("Period") or self._window.period)
                groups = await run_query(asked, self._account_id, self._region, own, self._store)
                several = list(groups.values())
                self._values[name] = several if asked.group_by else several[0]
                for group, series in groups.items():
                    pairs = [
                        {"Name": key, "Value": value}
                        for key, value in zip(asked.group_by, group, strict=True)
                    ]
                    key = self._key(
                        {"Namespace": asked.namespace, "MetricName": asked.metric, "Dimensions": pairs}
                    )
                    label = " ".join(group) or self._labels[name]
                    self._about[id(series)] = about_metric(key, asked.function, own.period, label)

    async def search_and_learn(self) -> None:
        """What expressions need beside metrics."""
        window = self._window
        for query in self._queries:
            if query["Id"] in self._values:
                continue
            compiled = _compiled(query)
            for search in compiled.searches:
                found = await run_search(search, self._account_id, self._region, window, self._store)
                self._searches[search] = [series for _, series in found]
                for key, series in found:
                    period = search.period or window.period
                    self._about[id(series)] = about_metric(key, search.stat, period, found_label(key))
            for band in compiled.bands:
                self._bands[band] = await self._band(band, _needed(self._queries, band.id))

    async def _band(self, band: Band, needed: Sequence[Mapping[str, Any]]) -> list[Series]:
        async def read(day: Window) -> Series:
            found = await evaluate(needed, self._account_id, self._region, day, self._store, self._models)
            past = found[-1].series
            return past[0] if len(past) == 1 else {}

        model = await self._models.model(self._account_id, self._region, needed, self._window, read)
        if model is None:
            return [{}, {}]
        return list(model.band(self._window.moments, band.width))

    def compute(self) -> None:
        """The values of expressions, each when those that it uses are there."""
        values, period = self._values, self._window.period
        metrics = [query["Id"] for query in self._queries if "MetricStat" in query]
        environment = Environment(values, metrics, period, self._window.moments, self._searches, self._bands)
        waiting = [query for query in self._queries if query["Id"] not in values]
        while waiting:
            ready = [query for query in waiting if _compiled(query).names - {"METRICS()"} <= values.keys()]
            if not ready:
                raise InvalidParameterValueException(
                    f"Error in expression '{waiting[0]['Id']}': it refers to itself"
                )
            for query in ready:
                try:
                    values[query["Id"]] = _compiled(query).node(environment)
                except ExpressionError as error:
                    raise _refused(query, error) from error
            waiting = [query for query in waiting if query not in ready]

    def result(self, query: Mapping[str, Any]) -> Result:
        """Where an expression gives one series, that is the series of the expression, whatever it came from."""
        value = self._values[query["Id"]]
        if isinstance(value, float):
            raise InvalidParameterValueException(
                f"Error in expression '{query['Id']}': the result is a number and not a time series"
            )
        several = isinstance(value, list)
        series = value if isinstance(value, list) else [value]
        labels = []
        for one in series:
            about = About(self._labels[query["Id"]])
            if several or "MetricStat" in query:
                about = self._about.get(id(one), about)
            tells = several and id(one) in self._about
            labels.append(label_of(query.get("Label"), about, one, is_one_of_many=tells))
        return Result(
            id=query["Id"],
            labels=labels,
            series=series,
            returned=query.get("ReturnData", True),
            units=self._units.get(query["Id"], ()),
        )

    def _key(self, metric: Mapping[str, Any]) -> MetricKey:
        return MetricKey(
            account_id=self._account_id,
            region=self._region,
            namespace=metric.get("Namespace", ""),
            name=metric.get("MetricName", ""),
            dimensions=dimensions_of(metric),
        )


def _needed(queries: Sequence[Mapping[str, Any]], id: str) -> list[Mapping[str, Any]]:
    """What the value of one is made of, and that one, last. Raises where nothing can be learned of it."""
    by_id = {query["Id"]: query for query in queries}
    needed: dict[str, Mapping[str, Any]] = {}

    def add(id: str) -> None:
        query = by_id[id]
        needed[id] = query
        if "MetricStat" in query or is_query(query["Expression"]):
            return
        compiled = _compiled(query)
        if compiled.bands or compiled.searches or "METRICS()" in compiled.names:
            raise _refused(query, ExpressionError("there is no band of a band, of SEARCH or of METRICS"))
        for name in compiled.names - needed.keys():
            add(name)

    add(id)
    return [query for one, query in needed.items() if one != id] + [by_id[id]]


def _check_searches(query: Mapping[str, Any], compiled: Expression) -> None:
    for search in compiled.searches:
        _check_stat({"Stat": search.stat, "Period": search.period or 60})
        try:
            parse_search(search.text)
        except ExpressionError as error:
            raise _refused(query, error) from error


def _check_stat(stat: Mapping[str, Any]) -> None:
    require_period(stat["Period"])
    if stat["Stat"] not in _STATISTICS and parse_statistic(stat["Stat"]) is None:
        raise InvalidParameterValueException(f"The value {stat['Stat']} for parameter Stat is not supported.")


def _compiled(query: Mapping[str, Any]) -> Expression:
    try:
        return compile_expression(query["Expression"])
    except ExpressionError as error:
        raise _refused(query, error) from error


def _insights(query: Mapping[str, Any]) -> InsightsQuery:
    try:
        return parse_query(query["Expression"])
    except ExpressionError as error:
        raise _refused(query, error) from error


def _refused(query: Mapping[str, Any], error: ExpressionError) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Error in expression '{query['Id']}': {error}")
