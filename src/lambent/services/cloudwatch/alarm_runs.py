"""Looks at an alarm when its period is over: its state, and what is to be told of a change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock
from lambent.model.alarm import Alarm, State
from lambent.model.error import ServiceException
from lambent.services.cloudwatch.alarm_changes import AlarmChanges
from lambent.services.cloudwatch.anomalies.models import Models
from lambent.services.cloudwatch.composite_runs import LOOK_SECONDS, CompositeRuns
from lambent.services.cloudwatch.evaluation import Verdict, judge
from lambent.services.cloudwatch.queries import evaluate, period_of
from lambent.services.cloudwatch.recorder import Recorder
from lambent.services.cloudwatch.series import Window
from lambent.services.cloudwatch.thresholds import Limits
from lambent.store.ports.metrics import MetricStore
from lambent.store.ports.named_records import Due, Name

_LATE_SECONDS = 10.0
"""How long after a period's end its data is looked at: it may be under way still."""
_SAMPLES = "samples"


def next_look(now: float, period: int) -> float:
    """When the period that runs now has been over for long enough."""
    return (now - _LATE_SECONDS) // period * period + period + _LATE_SECONDS


def following_look(alarm: Alarm, now: float) -> float:
    return now + LOOK_SECONDS if alarm.is_composite else next_look(now, period_of(queries_of(alarm)))


class AlarmRuns:
    def __init__(
        self,
        metrics: MetricStore,
        recorder: Recorder,
        changes: AlarmChanges,
        composites: CompositeRuns,
        models: Models,
        clock: Clock,
    ) -> None:
        self._metrics = metrics
        self._models = models
        self._recorder = recorder
        self._changes = changes
        self._composites = composites
        self._clock = clock

    async def fire(self, due: Due[Alarm]) -> None:
        alarm, now = due.value, self._clock.now()
        if alarm.is_composite:
            await self._composites.fire(due)
            return
        verdict = await self._verdict(alarm, now)
        after = alarm
        if verdict.state is not None and verdict.state != alarm.state:
            after = entered(alarm, verdict.state, verdict.reason, verdict.data or None, now)
        due_at = following_look(alarm, now)
        await self._changes.store(due.name, alarm, after, acts=after is not alarm, due_at=due_at)

    async def set(self, name: Name, alarm: Alarm, state: State, reason: str, data: str | None) -> None:
        """By hand, until it is looked at again. Raises StaleRevisionError, NotFoundError."""
        now = self._clock.now()
        changed, suppressed = state != alarm.state, alarm.suppressed_by is not None
        after = replace(entered(alarm, state, reason, data, now), owes=suppressed and (changed or alarm.owes))
        due_at = following_look(alarm, now)
        await self._changes.store(name, alarm, after, acts=changed and not suppressed, due_at=due_at)

    async def _verdict(self, alarm: Alarm, now: float) -> Verdict:
        queries = queries_of(alarm)
        period = period_of(queries)
        if "Metrics" not in alarm.settings:
            queries += [_counting(queries[0])]
        # Beyond the periods that decide, as many again, for data that is missing.
        end = int(now - _LATE_SECONDS) // period * period
        count = 2 * alarm.settings["EvaluationPeriods"]
        window = Window(start=end - count * period, end=end, period=period)
        await self._recorder.flush()
        try:
            results = await evaluate(
                queries, alarm.account_id, alarm.region, window, self._metrics, self._models
            )
        except ServiceException as error:
            return Verdict(state="INSUFFICIENT_DATA", reason=f"Insufficient Data: {error.message}")
        by_band = alarm.settings.get("ThresholdMetricId")
        found = next(result.series for result in results if result.returned and result.id != by_band)
        samples = next((result.series[0] for result in results if result.id == _SAMPLES), {})
        if len(found) != 1:
            return Verdict(state="INSUFFICIENT_DATA", reason=f"Insufficient Data: {len(found)} time series.")
        (series,) = found
        points = [(at, series.get(at)) for at in range(window.start, window.end, period)]
        upper, lower = next((result.series for result in results if result.id == by_band), ({}, {}))
        return judge(alarm.settings, points, period, now, samples, Limits(upper, lower))


def entered(alarm: Alarm, state: State, reason: str, data: str | None, now: float) -> Alarm:
    since = alarm.transitioned_at if state == alarm.state else now
    return replace(alarm, state=state, reason=reason, reason_data=data, updated_at=now, transitioned_at=since)


def queries_of(alarm: Alarm) -> list[dict[str, Any]]:
    """An alarm on one metric is one query."""
    settings = alarm.settings
    if settings.get("Metrics"):
        return list(settings["Metrics"])
    metric = {name: settings[name] for name in ("Namespace", "MetricName", "Dimensions") if name in settings}
    stat = {
        "Metric": metric,
        "Period": settings["Period"],
        "Stat": settings.get("Statistic") or settings["ExtendedStatistic"],
    }
    if "Unit" in settings:
        stat["Unit"] = settings["Unit"]
    return [{"Id": "m1", "MetricStat": stat}]


def _counting(query: Mapping[str, Any]) -> dict[str, Any]:
    """Of how many measurements each datapoint is."""
    return {"Id": _SAMPLES, "MetricStat": {**query["MetricStat"], "Stat": "SampleCount"}, "ReturnData": False}
