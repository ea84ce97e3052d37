"""What was counted since the start, in the terms of Prometheus and OpenTelemetry: families of series with labels.

AWS's names become theirs: Invocations of AWS/Lambda is `aws_lambda_invocations`, its dimension FunctionName the label
`function_name`. Pure functions; `prometheus.py` and `otlp.py` write the families down.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lambent.model.tally import MetricKey, Tally

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_LEVELS = frozenset(
    [
        "ConcurrentExecutions",
        "UnreservedConcurrentExecutions",
        "ClaimedAccountConcurrency",
        "ProvisionedConcurrentExecutions",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
)
"""Are counted in Count, but by looking at what there is: their sum means nothing."""

Totals = Mapping[tuple[MetricKey, str], Tally]
"""By metric and unit."""

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Family:
    """`is_counter`: the sum of each series says everything; otherwise their values are of interest, too."""

    name: str
    says: str
    unit: str
    is_counter: bool
    series: dict[Labels, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure of this process. `monotonic` ones only grow."""

    name: str
    says: str
    value: float
    labels: Labels = ()
    monotonic: bool = False


def families(totals: Totals) -> list[Family]:
    """By name. What cannot be told apart in their names is added up."""
    found: dict[tuple[str, bool], Family] = {}
    for (metric, unit), tally in totals.items():
        name = _family_name(metric, unit)
        is_counter = unit == "Count" and metric.name not in _LEVELS
        family = found.get((name, is_counter))
        if family is None:
            says = f"{metric.name} of {metric.namespace}" + (f", in {unit}" if unit != "None" else "")
            family = found[name, is_counter] = Family(name, says, unit, is_counter)
        family.series.setdefault(_labels(metric), Tally(values=None)).merge(tally)
    return sorted(found.values(), key=lambda family: (family.name, family.is_counter))


def snake(name: str) -> str:
    """`name` as both systems take it: lower-case words joined by underscores, beginning with a letter."""
    plain = _OTHER.sub("_", _WORD_START.sub("_", name).lower()).strip("_")
    return plain if plain[:1].isalpha() else f"x_{plain}"


def _family_name(metric: MetricKey, unit: str) -> str:
    name = f"{snake(metric.namespace)}_{snake(metric.name)}"
    suffix = "" if unit in ("Count", "None") else "_" + snake(unit.replace("/", " per "))
    return name if name.endswith(suffix) else name + suffix


def _labels(metric: MetricKey) -> Labels:
    labels = {"account_id": metric.account_id, "region": metric.region}
    for name, value in metric.dimensions:
        label = snake(name)
        while label in labels:
            label += "_"
        labels[label] = value
    return tuple(labels.items())
