"""EventBridge Scheduler, put together."""

from lambent.model.schedule_record import ScheduleGroup, ScheduleRecord
from lambent.server.part import Core, Part
from lambent.server.parts.events import RETRY_SHARE
from lambent.services.scheduler import scheduler
from lambent.store.sqlite.named_records import SqliteNamedRecords
from lambent.store.sqlite.target_deliveries import SqliteTargetDeliveryStore


def part(core: Core) -> Part:
    made = scheduler(
        SqliteNamedRecords(core.database, "schedule group", ScheduleGroup),
        SqliteNamedRecords(core.database, "schedule", ScheduleRecord),
        SqliteTargetDeliveryStore(core.database),
        clock=core.clock,
        client=core.client,
        roles=core.roles,
        pass_role=core.pass_role,
        metrics=core.metrics,
        retry_seconds=core.settings.retry_base_seconds / RETRY_SHARE,
    )
    return Part(service=made.service, behind=made.behind, close=made.worker.close)
