"""Message groups of FIFO queues: which may be received from, and since when.

A group is received from in order, and not at all while one of its messages is in flight.
"""

import sqlite3
from collections.abc import Iterable

from lambent.store.sqlite.queries import queries

_SQL = queries("queue_messages")


def settle_groups(connection: sqlite3.Connection, queue_id: int, groups: Iterable[str]) -> None:
    """After messages of these groups were received, hidden, shown or deleted."""
    for group in groups:
        row = {"queue_id": queue_id, "group": group}
        head = connection.execute(_SQL["head_of_group"], row).fetchone()
        if head is None:
            connection.execute(_SQL["delete_group"], row)
            continue
        id, visible_at = head
        (hidden_until,) = connection.execute(_SQL["group_hidden_until"], row).fetchone()
        available_at = visible_at if hidden_until is None else max(visible_at, hidden_until)
        connection.execute(_SQL["set_group"], row | {"available_at": available_at, "head": id})
