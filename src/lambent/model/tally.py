"""What is kept of the measurements of one metric in one minute: how many, their sum, extremes, and how they spread.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Statistic
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lambent.model.extended_statistic import parse_statistic

_DISTINCT_MOST = 200
_PRECISION = 1.01
"""Beyond so many different values, those within one per cent of each other count as one."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MetricKey:
    """What names a metric. `dimensions` are sorted by name."""

    account_id: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class Tally:
    """`values` says how often each value was seen; None where a part of it came summed up, and nobody knows."""

    count: float = 0.0
    sum: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    values: dict[float, float] | None = field(default_factory=dict)

    def add(self, value: float, count: float = 1.0) -> None:
        self.count += count
        self.sum += value * count
        if not self.minimum <= value <= self.maximum:  # seldom, and quicker to see than to work out
            self.minimum = min(self.minimum, value)
            self.maximum = max(self.maximum, value)
        if self.values is not None:
            self._note(value, count)

    def add_all(self, values: Sequence[float]) -> None:
        """As `add` of each, at the cost of the different ones among them."""
        if (first := values[0]) == min(values) == max(values):  # as a batch's mostly are
            self.add(first, len(values))
            return
        self.count += len(values)
        self.sum += math.fsum(values)
        self.minimum = min(self.minimum, *values)
        self.maximum = max(self.maximum, *values)
        if self.values is not None:
            for value, count in Counter(values).items():
                self._note(value, count)

    def merge(self, other: "Tally") -> None:
        self.count += other.count
        self.sum += other.sum
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if other.values is None:
            self.values = None
        elif self.values is not None:
            for value, count in other.values.items():
                self._note(value, count)

    def statistic(self, name: str) -> float | None:
        """SampleCount, Sum, Average, Minimum, Maximum, or an extended one (p99.9). None where it is not known."""
        match name:
            case "SampleCount":
                return self.count
            case "Sum":
                return self.sum
            case "Average":
                return self.sum / self.count
            case "Minimum":
                return self.minimum
            case "Maximum":
                return self.maximum
        return self._extended(name)

    def _note(self, value: float, count: float) -> None:
        assert self.values is not None
        if value not in self.values and len(self.values) >= _DISTINCT_MOST:
            value = _rounded(value)
        self.values[value] = self.values.get(value, 0.0) + count

    def _extended(self, name: str) -> float | None:
        statistic = parse_statistic(name)
        if statistic is None:
            return None
        if self.values is not None:
            return statistic.of(self.values)
        return statistic.of({self.minimum: self.count}) if self.minimum == self.maximum else None


def merged(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total


def _rounded(value: float) -> float:
    if value == 0:
        return 0.0
    return math.copysign(_PRECISION ** round(math.log(abs(value), _PRECISION)), value)
