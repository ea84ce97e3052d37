"""Message groups of FIFO queues: which may be received from, and since when.

A group is received from in order, and not beyond a message that is in flight or delayed: what comes after it has to
wait. It is there to be received from when its first message is visible, as AWS was seen to have it.
"""

from collections.abc import Iterable

from lambent.store.sql.database import Connection
from lambent.store.sql.queries import queries

_SQL = queries("queue_messages")


def settle_groups(connection: Connection, queue_id: int, groups: Iterable[str]) -> None:
    """After messages of these groups were received, hidden, shown or deleted."""
    for group in sorted(groups):
        row = {"queue_id": queue_id, "group": group}
        # Whoever sends to it at the same time has sent, or waits until this is over.
        connection.execute(_SQL["lock_group"], row)
        head = connection.execute(_SQL["head_of_group"], row).fetchone()
        if head is None:
            connection.execute(_SQL["delete_group"], row)
            continue
        id, visible_at = head
        connection.execute(_SQL["set_group"], row | {"available_at": visible_at, "head": id})
