"""CloudWatch, put together."""

from typing import cast

from lambent.model.alarm import Alarm, AlarmHistoryItem
from lambent.server.part import Core, Part
from lambent.server.parts.events import RETRY_SHARE
from lambent.services.cloudwatch import Recorder, cloudwatch
from lambent.store.sqlite.metrics import SqliteMetricStore
from lambent.store.sqlite.named_records import SqliteNamedRecords
from lambent.store.sqlite.target_deliveries import SqliteTargetDeliveryStore


def part(core: Core) -> Part:
    recorder = cast(Recorder, core.metrics)  # what everybody else only puts into
    made = cloudwatch(
        SqliteMetricStore(core.database),
        SqliteNamedRecords(core.database, "alarm", Alarm),
        SqliteNamedRecords(core.database, "alarm history", AlarmHistoryItem),
        SqliteTargetDeliveryStore(core.database),
        recorder,
        clock=core.clock,
        client=core.client,
        retry_seconds=core.settings.retry_base_seconds / RETRY_SHARE,
    )

    async def close() -> None:
        await made.worker.close()
        await recorder.close()

    return Part(service=made.service, behind=made.behind, close=close)
