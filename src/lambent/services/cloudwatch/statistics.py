"""GetMetricStatistics."""

from datetime import UTC, datetime

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.extended_statistic import parse_statistic
from lambent.model.tally import Tally
from lambent.services.cloudwatch.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
)
from lambent.services.cloudwatch.input import epoch, metric_key
from lambent.services.cloudwatch.recorder import Recorder
from lambent.services.cloudwatch.series import Window, read_periods
from lambent.store.ports.metrics import MetricStore

_DATAPOINTS_MOST = 1440
_SHORT_PERIODS = (1, 5, 10, 20, 30)


class Statistics:
    def __init__(self, store: MetricStore, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        start, end = epoch(parameters["StartTime"]), epoch(parameters["EndTime"])
        period = parameters["Period"]
        _require(parameters, start, end, period)
        await self._recorder.flush()
        window = Window.of(start, end, period, self._clock.now())
        periods = await read_periods(
            self._store, metric_key(caller, parameters), window, parameters.get("Unit")
        )
        datapoints = [
            _datapoint(at, unit, tally, parameters) for (at, unit), tally in sorted(periods.items())
        ]
        return {"Label": parameters["MetricName"], "Datapoints": [one for one in datapoints if one]}


def require_period(period: int, name: str = "Period") -> None:
    if period not in _SHORT_PERIODS and period % 60:
        raise InvalidParameterValueException(
            f"The parameter {name} must be 1, 5, 10, 20, 30 or any multiple of 60."
        )


def _require(parameters: Parameters, start: float, end: float, period: int) -> None:
    statistics, extended = parameters.get("Statistics"), parameters.get("ExtendedStatistics")
    if not statistics and not extended:
        raise InvalidParameterCombinationException("Must specify either Statistics or ExtendedStatistics")
    if statistics and extended:
        raise InvalidParameterCombinationException(
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both."
        )
    for name in extended or ():
        if parse_statistic(name) is None:
            raise InvalidParameterValueException(
                f"The value {name} for parameter ExtendedStatistics is not supported."
            )
    require_period(period)
    if end <= start:
        raise InvalidParameterValueException(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    asked = int((end - start) // period)
    if asked > _DATAPOINTS_MOST:
        raise InvalidParameterCombinationException(
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of {_DATAPOINTS_MOST:,}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )


def _datapoint(at: int, unit: str, tally: Tally, parameters: Parameters) -> Parameters | None:
    """None where none of what was asked for is known of the period."""
    values: Parameters = {
        name: value
        for name in parameters.get("Statistics") or ()
        if (value := tally.statistic(name)) is not None
    }
    extended = {
        name: value
        for name in parameters.get("ExtendedStatistics") or ()
        if (value := tally.statistic(name)) is not None
    }
    if extended:
        values["ExtendedStatistics"] = extended
    if not values:
        return None
    return {"Timestamp": datetime.fromtimestamp(at, UTC), **values, "Unit": unit}
