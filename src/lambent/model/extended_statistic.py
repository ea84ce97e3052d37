"""Statistics that look at how measurements spread: percentiles, and what is within bounds.

p99 is a percentile; tm, wm, tc and ts with a number (tm99), or in capitals with bounds (TM(10%:90%), TC(:300)), are the
mean without what is beyond the bounds (trimmed), or with that set to them (winsorized), and the count and the sum of
what is within; IQM is TM(25%:75%), and PR(100:2000) says how many per cent are within. A lower bound is exclusive.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PERCENT = r"\d{1,2}(?:\.\d{0,10})?|100"
_SHORT = re.compile(rf"(p|tm|wm|tc|ts)({_PERCENT})")
_BOUND = r"\d*\.?\d*"
_LONG = re.compile(rf"(TM|WM|TC|TS|PR)\(({_BOUND})(%?):({_BOUND})(%?)\)")

Spread = Mapping[float, float]
"""How often each value was measured."""


@dataclass(frozen=True, slots=True)
class ExtendedStatistic:
    """`kind` is P, TM, WM, TC, TS or PR. Of a percentile only `upper` counts."""

    kind: str
    lower: float | None
    upper: float | None
    percent: bool

    def of(self, values: Spread) -> float:
        """Of one measurement at least."""
        ordered = sorted(values.items())
        total = sum(values.values())
        if self.kind == "P":
            return _at(ordered, total, self.upper or 0.0)
        within = _by_share(ordered, total, self) if self.percent else _by_value(ordered, self)
        count = sum(weight for _, weight in within)
        match self.kind:
            case "TC":
                return count
            case "PR":
                return 100 * count / total
            case "TS":
                return sum(value * weight for value, weight in within)
            case "WM":
                return self._winsorized(ordered, total)
        return sum(value * weight for value, weight in within) / count if count else 0.0

    def _winsorized(self, ordered: Sequence[tuple[float, float]], total: float) -> float:
        lower, upper = self.lower, self.upper
        if self.percent:
            lower = _at(ordered, total, lower) if lower is not None else None
            upper = _at(ordered, total, upper) if upper is not None else None
        low = ordered[0][0] if lower is None else lower
        high = ordered[-1][0] if upper is None else upper
        return sum(min(max(value, low), high) * weight for value, weight in ordered) / total


def parse_statistic(name: str) -> ExtendedStatistic | None:
    """None where there is no such statistic."""
    if name == "IQM":
        return ExtendedStatistic("TM", 25.0, 75.0, percent=True)
    if short := _SHORT.fullmatch(name):
        return ExtendedStatistic(short[1].upper(), None, float(short[2]), percent=True)
    long = _LONG.fullmatch(name)
    return _with_bounds(*long.groups()) if long else None


def _with_bounds(
    kind: str, lower: str, lower_sign: str, upper: str, upper_sign: str
) -> ExtendedStatistic | None:
    """None where they make no range: of both kinds, or the lower one above."""
    given = {sign for bound, sign in ((lower, lower_sign), (upper, upper_sign)) if bound}
    if len(given) != 1 or "." in (lower, upper):
        return None
    percent = given == {"%"}
    low, high = float(lower) if lower else None, float(upper) if upper else None
    ordered = low is None or high is None or low < high
    most = max(low or 0.0, high or 0.0)
    if not ordered or (percent and (kind == "PR" or most > 100)):
        return None
    return ExtendedStatistic(kind, low, high, percent=percent)


def _at(ordered: Sequence[tuple[float, float]], total: float, percent: float) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    wanted, seen = total * percent / 100, 0.0
    for value, weight in ordered:
        seen += weight
        if seen >= wanted:
            return value
    return ordered[-1][0]


def _by_share(
    ordered: Sequence[tuple[float, float]], total: float, bounds: ExtendedStatistic
) -> list[tuple[float, float]]:
    """What lies between two shares of all, parts of measurements too."""
    low = total * (bounds.lower or 0.0) / 100
    high = total * (bounds.upper if bounds.upper is not None else 100.0) / 100
    within, seen = [], 0.0
    for value, weight in ordered:
        part = min(seen + weight, high) - max(seen, low)
        seen += weight
        if part > 0:
            within.append((value, part))
    return within


def _by_value(ordered: Sequence[tuple[float, float]], bounds: ExtendedStatistic) -> list[tuple[float, float]]:
    return [
        (value, weight)
        for value, weight in ordered
        if (bounds.lower is None or value > bounds.lower) and (bounds.upper is None or value <= bounds.upper)
    ]
