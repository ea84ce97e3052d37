"""What S3 has to tell other services, in SQLite. `objects.notify` puts it there."""

import sqlite3
from collections.abc import Sequence

from lambent.model.stored_object import Notice
from lambent.store.ports.notices import QueuedNotice
from lambent.store.records import Record
from lambent.store.sqlite.database import Database
from lambent.store.sqlite.queries import queries

_SQL = queries("notices")
_NOTICE = Record(Notice)


class SqliteNoticeStore:
    """Implements lambent.store.ports.notices.NoticeStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: float, limit: int) -> Sequence[QueuedNotice]:
        def work(connection: sqlite3.Connection) -> list[QueuedNotice]:
            return [
                QueuedNotice(id=id, attempts=attempts, created_at=created_at, notice=_NOTICE.decode(document))
                for id, attempts, created_at, document in connection.execute(
                    _SQL["due"], {"now": now, "limit": limit}
                )
            ]

        return await self._database.read(work)

    async def next_due(self) -> float | None:
        def work(connection: sqlite3.Connection) -> float | None:
            (due_at,) = connection.execute(_SQL["next_due"]).fetchone()
            return None if due_at is None else float(due_at)

        return await self._database.read(work)

    async def complete(self, ids: Sequence[int]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_SQL["complete"], [{"id": id} for id in ids])

        await self._database.write(work)

    async def postpone(self, id: int, due_at: float) -> None:
        row = {"id": id, "due_at": due_at}

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SQL["postpone"], row)

        await self._database.write(work)
