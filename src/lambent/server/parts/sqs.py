"""Amazon SQS on the database of this server."""

from lambent.model.queue import MessageMoveTask
from lambent.server.part import Core, Part
from lambent.services import sqs
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.queue_messages import SqlQueueMessageStore
from lambent.store.sql.queues import SqlQueueStore


def part(core: Core) -> Part:
    made = sqs.service(
        SqlQueueStore(core.database),
        SqlQueueMessageStore(core.database),
        SqlNamedRecords(core.database, "message move task", MessageMoveTask),
        core.clock,
        core.client,
        core.metrics,
        secret=core.secret("receipt handles"),
    )
    return Part(
        service=made.service,
        open=made.open,
        ending=made.ending,
        once={"expire messages of queues": made.sweep.run, "move messages between queues": made.mover.run},
        changed={"queues": lambda key: made.queues.open()},
        reload=made.queues.open,
        wakes=made.wakes,
    )
