"""GetMetricData.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from datetime import UTC, datetime

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.services.cloudwatch.anomalies.models import Models
from lambent.services.cloudwatch.errors import InvalidParameterValueException
from lambent.services.cloudwatch.expression import Series
from lambent.services.cloudwatch.input import epoch
from lambent.services.cloudwatch.paging import number_of
from lambent.services.cloudwatch.queries import Result, check_queries, evaluate, period_of
from lambent.services.cloudwatch.recorder import Recorder
from lambent.services.cloudwatch.series import Window
from lambent.store.ports.metrics import MetricStore

_QUERIES_MOST = 500
_DATAPOINTS_MOST = 100_800


class MetricData:
    def __init__(self, store: MetricStore, recorder: Recorder, models: Models, clock: Clock) -> None:
        self._store = store
        self._models = models
        self._recorder = recorder
        self._clock = clock

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        queries = parameters["MetricDataQueries"]
        start, end = epoch(parameters["StartTime"]), epoch(parameters["EndTime"])
        if len(queries) > _QUERIES_MOST:
            raise InvalidParameterValueException(
                f"The collection MetricDataQueries must not have a size greater than {_QUERIES_MOST}."
            )
        if int(end) == int(start):
            raise ValidationException("The parameter StartTime must not equal parameter EndTime.")
        if end < start:
            raise ValidationException("The parameter EndTime must be greater than StartTime.")
        check_queries(queries)
        await self._recorder.flush()
        window = Window.of(start, end, period_of(queries), self._clock.now())
        results = await evaluate(queries, caller.account_id, caller.region, window, self._store, self._models)
        most = min(parameters.get("MaxDatapoints", _DATAPOINTS_MOST), _DATAPOINTS_MOST)
        ascending = parameters.get("ScanBy", "TimestampDescending") == "TimestampAscending"
        return _page(
            [one for one in results if one.returned], number_of(parameters.get("NextToken")), most, ascending
        )


def _page(results: list[Result], skip: int, most: int, ascending: bool) -> Parameters:
    """Datapoints of all results, one after the other, `skip` of them told already."""
    described, left, more = [], most, False
    passed = 0
    for result in results:
        for label, series in zip(result.labels, result.series, strict=True):
            moments = sorted(series, reverse=not ascending)
            told = moments[max(0, skip - passed) :]
            passed += len(moments)
            taken = told[:left]
            left -= len(taken)
            complete = len(taken) == len(told)
            more = more or not complete
            described.append(_described(result, label, series, taken, complete))
    answer: Parameters = {"MetricDataResults": described, "Messages": []}
    if more:
        answer["NextToken"] = str(skip + most)
    return answer


def _described(result: Result, label: str, series: Series, moments: list[int], complete: bool) -> Parameters:
    told = {
        "Id": result.id,
        "Label": label,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in moments],
        "Values": [series[at] for at in moments],
        "StatusCode": "Complete" if complete else "PartialData",
    }
    if result.units:
        units = f"Multiple units returned: '[{', '.join(result.units)}]'"
        told["Messages"] = [{"Code": "MultipleUnits", "Value": units}]
    return told
