"""Metrics themselves: PutMetricData, ListMetrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.tally import MetricKey, Tally
from lambent.services.cloudwatch.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    MissingRequiredParameterException,
)
from lambent.services.cloudwatch.input import described, dimensions_of, epoch
from lambent.services.cloudwatch.paging import number_of
from lambent.services.cloudwatch.recorder import Recorder
from lambent.store.ports.metrics import MetricStore, Minute

_DATA_MOST = 1000
_VALUES_MOST = 150
_PAST_SECONDS = 14 * 86_400
_FUTURE_SECONDS = 2 * 3600
_PAGE = 500
_ACTIVE_SECONDS = 3 * 3600


class Metrics:
    def __init__(self, store: MetricStore, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        """On disk when it is answered."""
        data = parameters.get("MetricData") or []
        if parameters.get("EntityMetricData"):
            raise InvalidParameterValueException("Lambent does not offer EntityMetricData yet.")
        if not data:
            raise MissingRequiredParameterException("The parameter MetricData is required.")
        if len(data) > _DATA_MOST:
            raise InvalidParameterValueException(
                f"The collection MetricData must not have a size greater than {_DATA_MOST}."
            )
        tallies: dict[Minute, Tally] = {}
        for position, datum in enumerate(data, 1):
            minute = self._minute(caller, parameters["Namespace"], datum, position)
            tallies.setdefault(minute, Tally()).merge(_tally(datum, f"MetricData.member.{position}"))
        await self._store.add(tallies)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._recorder.flush()
        since = self._clock.now() - _ACTIVE_SECONDS if "RecentlyActive" in parameters else 0.0
        wanted = [(one["Name"], one.get("Value")) for one in parameters.get("Dimensions") or ()]
        found: list[tuple[int, MetricKey]] = []
        after, more = number_of(parameters.get("NextToken")), True
        while more and len(found) <= _PAGE:
            page = await self._store.page(
                caller.account_id,
                caller.region,
                namespace=parameters.get("Namespace"),
                name=parameters.get("MetricName"),
                active_since=since,
                after=after,
                limit=_PAGE,
            )
            more = len(page) == _PAGE
            if page:
                after = page[-1][0]
            found += [(number, metric) for number, metric in page if _has(metric, wanted)]
        answer: Parameters = {"Metrics": [described(metric) for _, metric in found[:_PAGE]]}
        if len(found) > _PAGE:
            answer["NextToken"] = str(found[_PAGE - 1][0])
        return answer

    def _minute(self, caller: Caller, namespace: str, datum: Mapping[str, Any], position: int) -> Minute:
        now = self._clock.now()
        at = epoch(datum["Timestamp"]) if "Timestamp" in datum else now
        if not now - _PAST_SECONDS <= at <= now + _FUTURE_SECONDS:
            raise InvalidParameterValueException(
                f"The parameter MetricData.member.{position}.Timestamp must specify a time no more than two weeks in "
                "the past, and no more than two hours in the future."
            )
        metric = MetricKey(
            account_id=caller.account_id,
            region=caller.region,
            namespace=namespace,
            name=datum["MetricName"],
            dimensions=dimensions_of(datum),
        )
        return Minute(metric, datum.get("Unit", "None"), int(at) // 60 * 60)


def _tally(datum: Mapping[str, Any], at: str) -> Tally:
    """Raises where a datum has no value, several kinds of them, or what is no number. AWS takes StatisticValues and
    Values together."""
    given = [name for name in ("Value", "StatisticValues", "Values") if datum.get(name) is not None]
    if not given:
        raise MissingRequiredParameterException(f"The parameter {at}.Value is required.")
    if len(given) > 1 and "Value" in given:
        raise InvalidParameterCombinationException(
            f"The parameters {at}.{given[0]} and {at}.{given[1]} are mutually exclusive and you have specified both."
        )
    if "StatisticValues" in datum:
        return _of_statistics(datum["StatisticValues"], at)
    values = datum["Values"] if "Values" in datum else [datum["Value"]]
    counts = datum.get("Counts") or [1.0] * len(values)
    if len(values) != len(counts):
        raise InvalidParameterValueException(
            f"The parameters {at}.Values and {at}.Counts must be of the same size."
        )
    if len(values) > _VALUES_MOST:
        raise InvalidParameterValueException(
            f"The collection {at}.Values must not have a size greater than {_VALUES_MOST}."
        )
    tally = Tally()
    for value, count in zip(values, counts, strict=True):
        _require_number(value, f"{at}.Value")
        if count > 0:
            tally.add(float(value), float(count))
    return tally


def _of_statistics(statistics: Mapping[str, float], at: str) -> Tally:
    for name, value in statistics.items():
        _require_number(value, f"{at}.StatisticValues.{name}")
    if statistics["SampleCount"] <= 0:
        raise InvalidParameterValueException(
            f"The value {statistics['SampleCount']:g} for parameter {at}.StatisticValues.SampleCount is invalid."
        )
    return replace(
        Tally(values=None),
        count=float(statistics["SampleCount"]),
        sum=float(statistics["Sum"]),
        minimum=float(statistics["Minimum"]),
        maximum=float(statistics["Maximum"]),
    )


def _require_number(value: float, name: str) -> None:
    if math.isfinite(value):
        return
    text = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    raise InvalidParameterValueException(f"The value {text} for parameter {name} is invalid.")


def _has(metric: MetricKey, wanted: list[tuple[str, str | None]]) -> bool:
    has = dict(metric.dimensions)
    return all(name in has and value in (None, has[name]) for name, value in wanted)
