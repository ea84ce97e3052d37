"""The queries of GetMetricData, and of alarms: metrics and expressions over them, evaluated over a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambent.model.error import ValidationException
from lambent.model.tally import MetricKey, merged
from lambent.services.cloudwatch.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
)
from lambent.services.cloudwatch.expression import (
    Environment,
    ExpressionError,
    Series,
    Value,
    compile_expression,
)
from lambent.services.cloudwatch.series import Window, read_periods
from lambent.services.cloudwatch.statistics import is_percentile, require_period
from lambent.store.ports.metrics import MetricStore

_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`series` are several where an expression gives several."""

    id: str
    label: str
    series: Sequence[Series]
    returned: bool


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
        else:
            _, names = _compiled(query)
            unknown = sorted(names - set(ids) - {"METRICS()"})
            if unknown:
                raise InvalidParameterValueException(
                    f"Error in expression '{query['Id']}': there is no metric or expression {unknown[0]}"
                )


def period_of(queries: Sequence[Mapping[str, Any]]) -> int:
    """The coarsest of them all: what expressions are evaluated by."""
    periods: list[int] = [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]
    periods += [query["Period"] for query in queries if query.get("Period")]
    return max(periods, default=60)


async def evaluate(
    queries: Sequence[Mapping[str, Any]], account_id: str, region: str, window: Window, store: MetricStore
) -> list[Result]:
    """In the order of the queries. Raises InvalidParameterValueException where an expression does not fit its data."""
    values: dict[str, Value] = {}
    for query in queries:
        if "MetricStat" in query:
            values[query["Id"]] = await _metric(query["MetricStat"], account_id, region, window, store)
    metrics = list(values)
    waiting = [query for query in queries if "Expression" in query]
    moments = range(window.start, window.end, window.period)
    while waiting:
        ready = [query for query in waiting if _compiled(query)[1] - {"METRICS()"} <= values.keys()]
        if not ready:
            raise InvalidParameterValueException(
                f"Error in expression '{waiting[0]['Id']}': it refers to itself"
            )
        for query in ready:
            environment = Environment(values, metrics, window.period, moments)
            try:
                values[query["Id"]] = _compiled(query)[0](environment)
            except ExpressionError as error:
                raise _refused(query, error) from error
        waiting = [query for query in waiting if query not in ready]
    return [_result(query, values[query["Id"]]) for query in queries]


def _result(query: Mapping[str, Any], value: Value) -> Result:
    if isinstance(value, float):
        raise InvalidParameterValueException(
            f"Error in expression '{query['Id']}': the result is a number and not a time series"
        )
    default = query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
    return Result(
        id=query["Id"],
        label=query.get("Label") or default,
        series=value if isinstance(value, list) else [value],
        returned=query.get("ReturnData", True),
    )


async def _metric(
    stat: Mapping[str, Any], account_id: str, region: str, window: Window, store: MetricStore
) -> Series:
    metric = stat["Metric"]
    key = MetricKey(
        account_id=account_id,
        region=region,
        namespace=metric.get("Namespace", ""),
        name=metric.get("MetricName", ""),
        dimensions=tuple(sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions") or ())),
    )
    own = replace(window, period=stat["Period"])
    by_moment: dict[int, list[Any]] = {}
    for (at, _), tally in (await read_periods(store, key, own, stat.get("Unit"))).items():
        by_moment.setdefault(at, []).append(tally)
    found = {at: merged(tallies).statistic(stat["Stat"]) for at, tallies in by_moment.items()}
    return {at: value for at, value in sorted(found.items()) if value is not None}


def _check_stat(stat: Mapping[str, Any]) -> None:
    require_period(stat["Period"])
    if stat["Stat"] not in _STATISTICS and not is_percentile(stat["Stat"]):
        raise InvalidParameterValueException(f"The value {stat['Stat']} for parameter Stat is not supported.")


def _compiled(query: Mapping[str, Any]) -> Any:
    try:
        return compile_expression(query["Expression"])
    except ExpressionError as error:
        raise _refused(query, error) from error


def _refused(query: Mapping[str, Any], error: ExpressionError) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Error in expression '{query['Id']}': {error}")
