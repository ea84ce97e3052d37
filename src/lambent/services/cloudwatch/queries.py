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
    values: dict[str, Value] = {}
    labels = default_labels(queries)
    units: dict[str, Sequence[str]] = {}
    for query in queries:
        id = query["Id"]
        if "MetricStat" in query:
            values[id], units[id] = await _metric(query["MetricStat"], account_id, region, window, store)
    for query in queries:
        if is_query(query.get("Expression", "")):
            id, asked = query["Id"], _insights(query)
            own = replace(window, period=query.get("Period") or window.period)
            groups = await run_query(asked, account_id, region, own, store)
            values[id] = list(groups.values()) if asked.group_by else next(iter(groups.values()))
            if asked.group_by:
                labels[id] = [" ".join([*query.get("Label", "").split(), *group]) for group in groups]
    waiting = [query for query in queries if query["Id"] not in values]
    searches: dict[Search, list[Series]] = {}
    bands: dict[Band, list[Series]] = {}
    for query in waiting:
        compiled = _compiled(query)
        for search in compiled.searches:
            found = await run_search(search, account_id, region, window, store)
            searches[search] = [series for _, series in found]
            if compiled.is_search:
                labels[query["Id"]] = [_found_label(query, metric) for metric, _ in found]
        for band in compiled.bands:
            needed = _needed(queries, band.id)
            bands[band] = await _band(band, needed, account_id, region, window, store, models)
    metrics = [query["Id"] for query in queries if "MetricStat" in query]
    moments = range(window.start, window.end, window.period)
    _compute(waiting, values, Environment(values, metrics, window.period, moments, searches, bands))
    return [
        _result(query, values[query["Id"]], labels[query["Id"]], units.get(query["Id"], ()))
        for query in queries
    ]


def _compute(
    waiting: Sequence[Mapping[str, Any]], values: dict[str, Value], environment: Environment
) -> None:
    """Adds the values of expressions, each when those that it uses are there."""
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


def default_labels(queries: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By Id. A metric is called by its name, and by its statistic and period where those of a request differ."""
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    differ = [name for name in ("Stat", "Period") if len({stat[name] for stat in stats}) > 1]
    labels = {}
    for query in queries:
        label = query["Id"]
        if stat := query.get("MetricStat"):
            label = " ".join([stat["Metric"].get("MetricName", ""), *(str(stat[name]) for name in differ)])
        labels[query["Id"]] = [query.get("Label") or label]
    return labels


async def _band(
    band: Band,
    needed: Sequence[Mapping[str, Any]],
    account_id: str,
    region: str,
    window: Window,
    store: MetricStore,
    models: Models,
) -> list[Series]:
    async def read(day: Window) -> Series:
        past = (await evaluate(needed, account_id, region, day, store, models))[-1].series
        return past[0] if len(past) == 1 else {}

    model = await models.model(account_id, region, needed, window, read)
    if model is None:
        return [{}, {}]
    return list(model.band(range(window.start, window.end, window.period), band.width))


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


def _found_label(query: Mapping[str, Any], metric: MetricKey) -> str:
    return " ".join(
        [*query.get("Label", "").split(), *(value for _, value in metric.dimensions), metric.name]
    )


def _check_searches(query: Mapping[str, Any], compiled: Expression) -> None:
    for search in compiled.searches:
        _check_stat({"Stat": search.stat, "Period": search.period or 60})
        try:
            parse_search(search.text)
        except ExpressionError as error:
            raise _refused(query, error) from error


def _result(query: Mapping[str, Any], value: Value, labels: Sequence[str], units: Sequence[str]) -> Result:
    if isinstance(value, float):
        raise InvalidParameterValueException(
            f"Error in expression '{query['Id']}': the result is a number and not a time series"
        )
    series = value if isinstance(value, list) else [value]
    return Result(
        id=query["Id"],
        labels=labels if len(labels) == len(series) else [*labels[:1]] * len(series),
        series=series,
        returned=query.get("ReturnData", True),
        units=units,
    )


async def _metric(
    stat: Mapping[str, Any], account_id: str, region: str, window: Window, store: MetricStore
) -> tuple[Series, Sequence[str]]:
    metric = stat["Metric"]
    key = MetricKey(
        account_id=account_id,
        region=region,
        namespace=metric.get("Namespace", ""),
        name=metric.get("MetricName", ""),
        dimensions=tuple(sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions") or ())),
    )
    own = replace(window, period=stat["Period"])
    return await read_statistic(store, key, own, stat["Stat"], stat.get("Unit"))


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
