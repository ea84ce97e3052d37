"""A metric over time, as one value for each period.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambent.model.tally import MetricKey, Tally
from lambent.services.cloudwatch.expression_values import Series
from lambent.store.ports.metrics import MetricStore, Minute

_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `start` to before `end`, in periods of `period` seconds that begin at `start`. Epoch seconds."""

    start: int
    end: int
    period: int

    @classmethod
    def of(cls, start: float, end: float, period: int, now: float) -> "Window":
        """With the start rounded down as CloudWatch does, by its age: to the minute, five minutes, or the hour."""
        age = now - start
        step = 60 if age <= 15 * _DAY else 300 if age <= 63 * _DAY else _HOUR
        return cls(start=int(start) // step * step, end=int(-(-end // 1)), period=period)

    @property
    def moments(self) -> range:
        """When its periods begin."""
        return range(self.start, self.end, self.period)

    def begin_of(self, at: int) -> int:
        return self.start + (at - self.start) // self.period * self.period


Periods = Mapping[tuple[int, str], Tally]
"""By when a period begins, and unit."""


async def read_periods(
    store: MetricStore, metric: MetricKey, window: Window, unit: str | None = None
) -> Periods:
    return in_periods(await store.read(metric, start=window.start, end=window.end), window, unit)


def in_periods(minutes: Sequence[tuple[Minute, Tally]], window: Window, unit: str | None = None) -> Periods:
    periods: dict[tuple[int, str], Tally] = {}
    for minute, tally in minutes:
        if unit in (None, minute.unit):
            periods.setdefault((window.begin_of(minute.start), minute.unit), Tally()).merge(tally)
    return periods


async def read_statistic(
    store: MetricStore, metric: MetricKey, window: Window, statistic: str, unit: str | None = None
) -> tuple[Series, Sequence[str]]:
    """And its units, where there are several and none was asked for: they are not added up, the first one counts."""
    periods = await read_periods(store, metric, window, unit)
    units = sorted({unit for _, unit in periods})
    found = {at: tally.statistic(statistic) for (at, unit), tally in periods.items() if unit == units[0]}
    series = {at: value for at, value in sorted(found.items()) if value is not None}
    return series, units if len(units) > 1 else ()
