"""What an alarm's datapoints are compared with: a number, or the band of what is expected.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html, and reasons
that users recorded from AWS.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

_COMPARE: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISONS = frozenset(_COMPARE)
_BEYOND: Mapping[str, Sequence[str]] = {
    "LessThanLowerThreshold": ("lower",),
    "GreaterThanUpperThreshold": ("upper",),
    "LessThanLowerOrGreaterThanUpperThreshold": ("lower", "upper"),
}
"""The limits of a band that count."""
BAND_COMPARISONS = frozenset(_BEYOND)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a band, by period: a period without them has no datapoint that could be judged."""

    upper: Mapping[int, float]
    lower: Mapping[int, float]


NO_LIMITS = Limits(MappingProxyType({}), MappingProxyType({}))


class Threshold(Protocol):
    def judges(self, at: int) -> bool: ...

    def is_crossed(self, at: int, value: float) -> bool: ...

    def words(self, shown: Sequence[tuple[int, float]], breaching: bool) -> str:
        """What the datapoints were: newest first."""
        ...

    def data(self, known: Sequence[tuple[int, float]]) -> dict[str, Any]:
        """Its part of StateReasonData."""
        ...

    def data_at(self, at: int) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Number:
    comparison: str
    threshold: float

    def judges(self, at: int) -> bool:
        return True

    def is_crossed(self, at: int, value: float) -> bool:
        return _COMPARE[self.comparison][0](value, self.threshold)

    def words(self, shown: Sequence[tuple[int, float]], breaching: bool) -> str:
        return f"{'' if breaching else 'not '}{_COMPARE[self.comparison][1]} the threshold ({self.threshold})"

    def data(self, known: Sequence[tuple[int, float]]) -> dict[str, Any]:
        return {"threshold": self.threshold}

    def data_at(self, at: int) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Band:
    comparison: str
    limits: Limits

    def judges(self, at: int) -> bool:
        return at in self.limits.upper

    def is_crossed(self, at: int, value: float) -> bool:
        sides = _BEYOND[self.comparison]
        below, above = value < self.limits.lower[at], value > self.limits.upper[at]
        return ("lower" in sides and below) or ("upper" in sides and above)

    def words(self, shown: Sequence[tuple[int, float]], breaching: bool) -> str:
        told = []
        for side in _BEYOND[self.comparison]:
            limits = ", ".join(str(self._limit(side)[at]) for at, _ in reversed(shown))
            than = "less" if side == "lower" else "greater"
            told.append(f"{'' if breaching else 'not '}{than} than the {side} thresholds [{limits}]")
        return " or ".join(told)

    def data(self, known: Sequence[tuple[int, float]]) -> dict[str, Any]:
        return {
            f"recent{side.capitalize()}Thresholds": [self._limit(side)[at] for at, _ in known]
            for side in _BEYOND[self.comparison]
        }

    def data_at(self, at: int) -> dict[str, Any]:
        sides = _BEYOND[self.comparison]
        return {"threshold": self._limit(sides[0])[at]} if len(sides) == 1 else {}

    def _limit(self, side: str) -> Mapping[int, float]:
        return self.limits.lower if side == "lower" else self.limits.upper


def threshold_of(settings: Mapping[str, Any], limits: Limits) -> Threshold:
    comparison = settings["ComparisonOperator"]
    if comparison in _BEYOND:
        return Band(comparison, limits)
    return Number(comparison, float(settings["Threshold"]))
