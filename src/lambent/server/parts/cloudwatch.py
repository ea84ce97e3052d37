"""CloudWatch, put together."""

from typing import cast

from lambent.model.alarm import Alarm, AlarmHistoryItem
from lambent.model.anomaly_detector import AnomalyDetector
from lambent.model.dashboard import Dashboard
from lambent.server.part import Core, Part
from lambent.server.parts.events import RETRY_SHARE
from lambent.services.cloudwatch import Recorder, cloudwatch
from lambent.store.sql.metrics import SqlMetricStore
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore


def part(core: Core) -> Part:
    recorder = cast(Recorder, core.metrics)  # what everybody else only puts into
    made = cloudwatch(
        SqlMetricStore(core.database),
        SqlNamedRecords(core.database, "alarm", Alarm),
        SqlNamedRecords(core.database, "alarm history", AlarmHistoryItem),
        SqlNamedRecords(core.database, "dashboard", Dashboard),
        SqlNamedRecords(core.database, "anomaly detector", AnomalyDetector),
        SqlTargetDeliveryStore(core.database),
        recorder,
        clock=core.clock,
        client=core.client,
        owner=core.node_id,
        retry_seconds=core.settings.retry_base_seconds / RETRY_SHARE,
    )

    async def close() -> None:
        await made.worker.close()
        await recorder.close()

    return Part(service=made.service, behind=made.behind, once=made.once, wakes=made.wakes, close=close)
