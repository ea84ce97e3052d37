"""Amazon SQS on the database of this server."""

from lambent.model.queue import MessageMoveTask
from lambent.server.part import Core, Part
from lambent.services import sqs
from lambent.store.sqlite.named_records import SqliteNamedRecords
from lambent.store.sqlite.queue_messages import SqliteQueueMessageStore
from lambent.store.sqlite.queues import SqliteQueueStore


def part(core: Core) -> Part:
    made = sqs.service(
        SqliteQueueStore(core.database),
        SqliteQueueMessageStore(core.database),
        SqliteNamedRecords(core.database, "message move task", MessageMoveTask),
        core.clock,
        core.metrics,
        secret=core.secret("receipt handles"),
    )
    return Part(
        service=made.service,
        open=made.open,
        ending=made.ending,
        behind={"expire messages of queues": made.sweep.run, "move messages between queues": made.mover.run},
    )
