"""What becomes of a schedule whose time has come: a delivery, and its next time."""

import random

import orjson

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token, new_uuid
from lambent.model.delivery import Delivery
from lambent.model.schedule_record import ScheduleRecord
from lambent.services.scheduler.context import EXECUTION_ID, SCHEDULED_TIME, time_text
from lambent.services.scheduler.times import next_time
from lambent.store.ports.named_records import Due, NamedRecords
from lambent.targets.timer import latest
from lambent.targets.worker import DeliveryWorker

WINDOW_SECONDS_MOST = 1440 * 60.0
"""A flexible time window is at most a day, by the model."""


class Runs:
    """Given to the timer as what fires: see `fire`."""

    def __init__(self, schedules: NamedRecords[ScheduleRecord], worker: DeliveryWorker, clock: Clock) -> None:
        self._schedules = schedules
        self._worker = worker
        self._clock = clock

    async def fire(self, due: Due[ScheduleRecord]) -> None:
        """The schedule's next time (or its deletion) and the delivery are stored together: a time is run once."""
        record, now = due.value, self._clock.now()
        time = latest(due.due_at, now, lambda after: next_time(record, after))
        following = next_time(record, now)
        deletes = following is None and record.action_after_completion == "DELETE"
        await self._schedules.advance(
            due.name,
            previous=record,
            value=None if deletes else record,
            due_at=following,
            deliveries=[_delivery(record, time, now)],
        )
        self._worker.wake()


def _delivery(record: ScheduleRecord, time: float, now: float) -> Delivery:
    partition = partition_of(record.region)
    text = record.target.get("Input")
    start = max(now, time + _delay(record))
    return Delivery(
        queue="scheduler",
        account_id=record.account_id,
        region=record.region,
        source_arn=record.arn(partition),
        target=record.target,
        payload=(text.encode() if text is not None else _scheduled_event(record, time)),
        notes={EXECUTION_ID: new_token(16), SCHEDULED_TIME: time_text(time)},
        accepted_at=start,
        due_at=start,
    )


def _delay(record: ScheduleRecord) -> float:
    """Somewhere in the flexible time window, in seconds."""
    if record.window["Mode"] == "OFF":
        return 0.0
    return random.uniform(0, 60.0 * record.window["MaximumWindowInMinutes"])  # noqa: S311 - spreads runs


def _scheduled_event(record: ScheduleRecord, time: float) -> bytes:
    """What a target is given where the schedule says nothing."""
    if record.target["Arn"].split(":")[2] == "scheduler":
        return b"{}"
    return orjson.dumps(
        {
            "version": "0",
            "id": new_uuid(),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": record.account_id,
            "time": time_text(time),
            "region": record.region,
            "resources": [record.arn(partition_of(record.region))],
            "detail": "{}",
        }
    )
