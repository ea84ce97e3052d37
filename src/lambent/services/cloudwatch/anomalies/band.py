"""What is expected of a series, learned from its past."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from lambent.services.cloudwatch.expression_values import Series

_LEAST_POINTS = 30
_LEAST_DAYS = 2
"""On so many days an hour was seen that is expected to be like it was."""
_SIGMA = 1.4826
"""A normal distribution's standard deviation, in median distances from its median."""
_LEAST_SHARE = 0.25
"""No hour is taken for quieter than this share of what all of them deviate by."""


@dataclass(frozen=True, slots=True)
class Expected:
    center: float
    spread: float


Key = Callable[[datetime], Hashable]
_BINS: Sequence[Key] = (
    lambda moment: (moment.weekday(), moment.hour),
    lambda moment: moment.hour,
)
"""The finest first."""


@dataclass(frozen=True, slots=True)
class Model:
    """`bins` is by `_BINS`."""

    zone: tzinfo
    whole: Expected
    bins: Sequence[Mapping[Hashable, Expected]]

    def band(self, moments: Sequence[int], width: float) -> tuple[Series, Series]:
        """Its upper and its lower limit, `width` standard deviations from what is expected."""
        upper, lower = Series(), Series()
        for at in moments:
            expected = self._expected(at)
            upper[at] = expected.center + width * expected.spread
            lower[at] = expected.center - width * expected.spread
        return upper, lower

    def _expected(self, at: int) -> Expected:
        moment = datetime.fromtimestamp(at, self.zone)
        for key, found in zip(_BINS, self.bins, strict=True):
            if (expected := found.get(key(moment))) is not None:
                return expected
        return self.whole


def learn(past: Series, zone: tzinfo, *, periodic_spikes: bool = False) -> Model | None:
    """None where too little is known. With `periodic_spikes` what is far from all others counts as much as they."""
    if len(past) < _LEAST_POINTS:
        return None
    spread = _standard_deviation if periodic_spikes else _robust_spread
    moments = {at: datetime.fromtimestamp(at, zone) for at in past}
    sorted_in = [_bins(past, moments, key) for key in _BINS]
    center = statistics.median(past.values())
    coarse = Model(zone, Expected(center, 0.0), [_expected(found, spread, 0.0) for found in sorted_in])
    residuals = [value - coarse.band([at], 0.0)[0][at] for at, value in past.items()]
    least = _LEAST_SHARE * spread(residuals)
    whole = Expected(center, spread(list(past.values())))
    return Model(zone, whole, [_expected(found, spread, least) for found in sorted_in])


def _bins(past: Series, moments: Mapping[int, datetime], key: Key) -> Mapping[Hashable, Sequence[float]]:
    values: dict[Hashable, list[float]] = defaultdict(list)
    days: dict[Hashable, set[object]] = defaultdict(set)
    for at, value in past.items():
        values[key(moments[at])].append(value)
        days[key(moments[at])].add(moments[at].date())
    return {bin: found for bin, found in values.items() if len(days[bin]) >= _LEAST_DAYS}


def _expected(
    found: Mapping[Hashable, Sequence[float]], spread: Callable[[Sequence[float]], float], least: float
) -> Mapping[Hashable, Expected]:
    return {
        bin: Expected(statistics.median(values), max(spread(values), least)) for bin, values in found.items()
    }


def _robust_spread(values: Sequence[float]) -> float:
    """What most of them deviate by; where most do not at all, what all do."""
    center = statistics.median(values)
    distance = statistics.median([abs(value - center) for value in values])
    return _SIGMA * distance or _standard_deviation(values)


def _standard_deviation(values: Sequence[float]) -> float:
    return statistics.pstdev(values)
