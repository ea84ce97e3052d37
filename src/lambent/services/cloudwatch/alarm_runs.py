"""Looks at an alarm when its period is over: its state, and what is to be told of a change.

The new state, the next time to look and the actions are stored in one step, so that a change is told once.
"""

from dataclasses import replace
from typing import Any

import orjson

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.model.alarm import Alarm, AlarmHistoryItem, State
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.services.cloudwatch.alarm_message import message_of
from lambent.services.cloudwatch.evaluation import Verdict, judge
from lambent.services.cloudwatch.queries import evaluate, period_of
from lambent.services.cloudwatch.recorder import Recorder
from lambent.services.cloudwatch.series import Window
from lambent.store.ports.metrics import MetricStore
from lambent.store.ports.named_records import Due, Name, NamedRecords
from lambent.targets.worker import DeliveryWorker

_LATE_SECONDS = 10.0
"""How long after a period's end its data is looked at: it may be under way still."""


def next_look(now: float, period: int) -> float:
    """When the period that runs now has been over for long enough."""
    return (now - _LATE_SECONDS) // period * period + period + _LATE_SECONDS


class AlarmRuns:
    def __init__(
        self,
        alarms: NamedRecords[Alarm],
        history: NamedRecords[AlarmHistoryItem],
        metrics: MetricStore,
        recorder: Recorder,
        worker: DeliveryWorker,
        clock: Clock,
    ) -> None:
        self._alarms = alarms
        self._history = history
        self._metrics = metrics
        self._recorder = recorder
        self._worker = worker
        self._clock = clock

    async def fire(self, due: Due[Alarm]) -> None:
        alarm, now = due.value, self._clock.now()
        verdict = await self._verdict(alarm, now)
        period = period_of(queries_of(alarm))
        await self.enter(
            due.name,
            alarm,
            verdict.state or alarm.state,
            verdict.reason,
            verdict.data or None,
            next_look(now, period),
        )

    async def enter(
        self, name: Name, alarm: Alarm, state: State, reason: str, data: str | None, due_at: float | None
    ) -> None:
        """Stores what the alarm's state is now. Raises StaleRevisionError, NotFoundError."""
        now = self._clock.now()
        if state == alarm.state:
            await self._alarms.advance(name, previous=alarm, value=alarm, due_at=due_at, deliveries=())
            return
        changed = replace(
            alarm, state=state, reason=reason, reason_data=data, updated_at=now, transitioned_at=now
        )
        await self._alarms.advance(
            name, previous=alarm, value=changed, due_at=due_at, deliveries=_deliveries(alarm, changed, now)
        )
        self._worker.wake()
        await self._note(changed, alarm, now)

    async def _verdict(self, alarm: Alarm, now: float) -> Verdict:
        queries = queries_of(alarm)
        period = period_of(queries)
        # Beyond the periods that decide, as many again, for data that is missing.
        end = int(now - _LATE_SECONDS) // period * period
        count = 2 * alarm.settings["EvaluationPeriods"]
        window = Window(start=end - count * period, end=end, period=period)
        await self._recorder.flush()
        try:
            results = await evaluate(queries, alarm.account_id, alarm.region, window, self._metrics)
        except ServiceException as error:
            return Verdict(state="INSUFFICIENT_DATA", reason=f"Insufficient Data: {error.message}")
        found = next(result.series for result in results if result.returned)
        if len(found) != 1:
            return Verdict(state="INSUFFICIENT_DATA", reason=f"Insufficient Data: {len(found)} time series.")
        (series,) = found
        moments = range(window.start, window.end, period)
        return judge(alarm.settings, [(at, series.get(at)) for at in moments], period, now)

    async def _note(self, alarm: Alarm, before: Alarm, now: float) -> None:
        data = {
            "version": "1.0",
            "oldState": {"stateValue": before.state, "stateReason": before.reason},
            "newState": {"stateValue": alarm.state, "stateReason": alarm.reason},
        }
        summary = f"Alarm updated from {before.state} to {alarm.state}"
        await note(self._history, alarm, "StateUpdate", summary, orjson.dumps(data).decode(), now)


async def note(
    history: NamedRecords[AlarmHistoryItem], alarm: Alarm, kind: str, summary: str, data: str, now: float
) -> None:
    item = AlarmHistoryItem(alarm_name=alarm.name, at=now, kind=kind, summary=summary, data=data)
    name = Name(alarm.account_id, alarm.region, alarm.name, f"{int(now * 1000):014d}-{new_token(8)}")
    await history.insert(name, item)


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


def _deliveries(before: Alarm, alarm: Alarm, now: float) -> list[Delivery]:
    if not alarm.actions_enabled:
        return []
    return [
        Delivery(
            queue="cloudwatch",
            account_id=alarm.account_id,
            region=alarm.region,
            source_arn=alarm.arn(partition_of(alarm.region)),
            target={"Arn": action},
            payload=message_of(alarm, before.state, action, now),
            accepted_at=now,
            due_at=now,
        )
        for action in alarm.actions(alarm.state)
    ]
