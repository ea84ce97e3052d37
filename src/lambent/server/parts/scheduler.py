"""EventBridge Scheduler, put together."""

from lambent.model.schedule_record import ScheduleGroup, ScheduleRecord
from lambent.server.part import Core, Part
from lambent.server.parts.events import RETRY_SHARE
from lambent.services.scheduler import scheduler
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore


def part(core: Core) -> Part:
    made = scheduler(
        SqlNamedRecords(core.database, "schedule group", ScheduleGroup),
        SqlNamedRecords(core.database, "schedule", ScheduleRecord),
        SqlTargetDeliveryStore(core.database),
        clock=core.clock,
        client=core.client,
        roles=core.roles,
        pass_role=core.pass_role,
        metrics=core.metrics,
        owner=core.node_id,
        retry_seconds=core.settings.retry_base_seconds / RETRY_SHARE,
    )
    return Part(
        service=made.service,
        behind=made.behind,
        once=made.once,
        wakes=made.wakes,
        close=made.worker.close,
    )
