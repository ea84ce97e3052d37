"""SQS queues."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lambent.model.queue import Queue
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.records import Record
from lambent.store.sql.changes import note
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("queues")
_QUEUE = Record(Queue)


class SqlQueueStore:
    """Implements lambent.store.ports.queues.QueueStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Queue]:
        def work(connection: Connection) -> list[Queue]:
            return [
                replace(_QUEUE.decode(document), id=id) for id, document in connection.execute(_SQL["all"])
            ]

        return await self._database.read(work)

    async def insert(self, queue: Queue) -> Queue:
        return await self._database.write(lambda connection: _insert(connection, queue))

    async def replace(self, queue: Queue) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["replace"], _row(queue)).rowcount == 0:
                raise NotFoundError(queue.arn)
            note(connection, "queues")

        await self._database.write(work)

    async def empty(self, queue: Queue) -> Queue:
        def work(connection: Connection) -> Queue:
            _discard(connection, queue)
            return _insert(connection, queue)

        return await self._database.write(work)

    async def delete(self, queue: Queue) -> None:
        await self._database.write(lambda connection: _discard(connection, queue))

    async def sweep_discarded(self, limit: int) -> bool:
        def work(connection: Connection) -> bool:
            discarded = connection.execute(_SQL["next_discarded"]).fetchone()
            if discarded is None:
                return False
            row = {"id": discarded[0], "limit": limit}
            ids = [id for (id,) in connection.execute(_SQL["discarded_messages"], row)]
            if ids:
                listed = {"ids": json.dumps(ids)}
                connection.execute(_SQL["delete_messages"], listed)
                connection.execute(_SQL["delete_documents"], listed)
            deleted = [
                len(ids),
                connection.execute(_SQL["delete_groups"], row).rowcount,
                connection.execute(_SQL["delete_deduplications"], row).rowcount,
            ]
            if max(deleted) < limit:
                connection.execute(_SQL["forget_discarded"], row)
            return True

        return await self._database.write(work)


def _insert(connection: Connection, queue: Queue) -> Queue:
    inserted = connection.execute(_SQL["insert"], _row(queue)).fetchone()
    if inserted is None:
        raise AlreadyExistsError(queue.arn)
    made = replace(queue, id=inserted[0])
    connection.execute(_SQL["insert_depth"], {"id": made.id})
    note(connection, "queues")
    return made


def _discard(connection: Connection, queue: Queue) -> None:
    row = {"id": queue.id}
    if connection.execute(_SQL["delete"], row).rowcount == 0:
        raise NotFoundError(queue.arn)
    connection.execute(_SQL["delete_depth"], row)
    connection.execute(_SQL["discard"], row)
    note(connection, "queues")


def _row(queue: Queue) -> dict[str, Any]:
    return {
        "id": queue.id,
        "account_id": queue.account_id,
        "region": queue.region,
        "name": queue.name,
        "document": _QUEUE.encode(queue),
    }
