"""Rows of messages: from and to the model, in and out of the tables."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambent.model.queue import QueueMessage
from lambent.store.ports.errors import NotFoundError
from lambent.store.records import Record
from lambent.store.sql.database import Connection
from lambent.store.sql.queries import queries

_SQL = queries("queue_messages")
_MESSAGE = Record(QueueMessage)
_SIZES = (50, 10)
_INSERTS = {size: _SQL["insert"] + ", (?, ?, ?, ?, ?, ?)" * (size - 1) for size in _SIZES}
_INSERTS_OF_DOCUMENTS = {size: _SQL["insert_document"] + ", (?, ?)" * (size - 1) for size in _SIZES}
"""Batches by one statement: a statement for each row would each time give the interpreter lock up, and have to get it
back from a busy event loop. SQLite also writes its own row of the table's last id for each statement."""


class NewRows:
    """Messages on their way into the tables, numbered in the order in which ids are taken."""

    def __init__(self, connection: Connection, most: int) -> None:
        self._connection = connection
        first, ids = connection.execute(_SQL["next_ids"], {"count": most}).fetchone()
        self._ids: Iterator[int] = iter(range(first, first + most) if ids is None else json.loads(ids))
        self._rows: list[tuple[Any, ...]] = []
        self._documents: list[tuple[Any, ...]] = []
        self._groups: list[tuple[Any, ...]] = []

    def take_id(self) -> int:
        """For one message. It is nobody else's, whether the message is added or not."""
        return next(self._ids)

    def add(
        self,
        id: int,
        queue_id: int,
        message: QueueMessage,
        visible_at: int,
        *,
        is_fifo: bool,
        first_received_at: int | None = None,
    ) -> None:
        group = message.group_id if is_fifo else None
        self._rows.append((id, queue_id, group, visible_at, message.sent_at, first_received_at))
        self._documents.append((id, _MESSAGE.encode(message)))
        if group is not None:
            self._groups.append((queue_id, group, visible_at, id))

    def insert(self) -> None:
        self._insert(_INSERTS_OF_DOCUMENTS, _SQL["insert_document"], self._documents)
        self._insert(_INSERTS, _SQL["insert"], self._rows)
        # In one order for all, so that of two who add to the same groups none waits for the other for ever.
        groups = {(row[0], row[1]): row for row in reversed(self._groups)}
        if groups:
            self._connection.executemany(_SQL["add_group"], [groups[key] for key in sorted(groups)])

    def _insert(self, together: Mapping[int, str], one: str, rows: Sequence[tuple[Any, ...]]) -> None:
        first = 0
        for size, statement in together.items():
            while len(rows) - first >= size:
                batch = rows[first : first + size]
                self._connection.execute(statement, [value for row in batch for value in row])
                first += size
        if first < len(rows):
            self._connection.executemany(one, rows[first:])


def decode_message(document: str) -> QueueMessage:
    return _MESSAGE.decode(document)


def change_depth(connection: Connection, queue_id: int, change: int) -> None:
    """Raises NotFoundError: the queue was emptied or deleted."""
    if connection.execute(_SQL["change_depth"], {"queue_id": queue_id, "change": change}).rowcount == 0:
        raise NotFoundError(f"queue {queue_id}")


def remove(connection: Connection, queue_id: int, ids: Sequence[int]) -> None:
    """Messages of one queue, which may be on its way out."""
    remove_all(connection, {queue_id: ids})


def remove_all(connection: Connection, ids_by_queue: Mapping[int, Sequence[int]]) -> None:
    """As `remove`, of many queues."""
    ids = [id for ids in ids_by_queue.values() for id in ids]
    if not ids:
        return
    listed = {"ids": json.dumps(ids)}
    connection.execute(_SQL["delete"], listed)
    connection.execute(_SQL["delete_documents"], listed)
    for queue_id, of_queue in ids_by_queue.items():
        connection.execute(_SQL["change_depth"], {"queue_id": queue_id, "change": -len(of_queue)})
