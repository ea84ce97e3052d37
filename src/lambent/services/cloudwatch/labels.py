"""What the series of GetMetricData are called: by their metrics, or as a Label says, with what that leaves open.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
"""

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambent.model.tally import MetricKey
from lambent.services.cloudwatch.expression_values import Series

_OPEN = re.compile(r"\$\{(?:PROP\('([^']*)'\)|([A-Z_]+))\}")
_OF_VALUES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "FIRST": lambda values: values[0],
    "FIRST_LAST_RANGE": lambda values: values[-1] - values[0],
    "LAST": lambda values: values[-1],
    "MAX": max,
    "MIN": min,
    "MIN_MAX_RANGE": lambda values: max(values) - min(values),
    "SUM": math.fsum,
}
"""Of the values in the order of time."""


@dataclass(frozen=True, slots=True)
class About:
    """One series: what it is called where nothing else is said, and what PROP knows of it."""

    label: str
    properties: Mapping[str, str] = field(default_factory=dict)


def about_metric(metric: MetricKey, stat: str, period: int, label: str) -> About:
    properties = {
        "AccountId": metric.account_id,
        "MetricName": metric.name,
        "Namespace": metric.namespace,
        "Period": str(period),
        "Region": metric.region,
        "Stat": stat,
    }
    return About(label, properties | {f"Dim.{name}": value for name, value in metric.dimensions})


def default_labels(queries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By Id. A metric is called by its name, and by its statistic and period where those of a request differ."""
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    differ = [name for name in ("Stat", "Period") if len({stat[name] for stat in stats}) > 1]
    labels = {}
    for query in queries:
        labels[query["Id"]] = query["Id"]
        if stat := query.get("MetricStat"):
            words = [stat["Metric"].get("MetricName", ""), *(str(stat[name]) for name in differ)]
            labels[query["Id"]] = " ".join(words)
    return labels


def found_label(metric: MetricKey) -> str:
    """Of one that was searched for."""
    return " ".join([*(value for _, value in metric.dimensions), metric.name])


def label_of(given: str | None, about: About, series: Series, *, is_one_of_many: bool) -> str:
    """`given` is the query's Label, if it has one; where it leaves nothing open, it stands before what tells several
    series apart."""
    if not given:
        return about.label
    if not _OPEN.search(given):
        return f"{given} {about.label}" if is_one_of_many else given
    values = [series[at] for at in sorted(series)]

    def written(found: re.Match[str]) -> str:
        property, word = found.groups()
        if property is not None:
            return about.properties.get(property, "")
        if word == "LABEL":
            return about.label
        if word == "DATAPOINT_COUNT":
            return str(len(values))
        if word not in _OF_VALUES:
            return found[0]
        return f"{_OF_VALUES[word](values):.10g}" if values else "--"

    return _OPEN.sub(written, given)
