"""What S3 has to tell other services. `objects.notify` puts it there."""

from collections.abc import Sequence

from lambent.model.stored_object import Notice
from lambent.store.ports.notices import QueuedNotice
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("notices")
_NOTICE = Record(Notice)


class SqlNoticeStore:
    """Implements lambent.store.ports.notices.NoticeStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: float, limit: int) -> Sequence[QueuedNotice]:
        def work(connection: Connection) -> list[QueuedNotice]:
            return [
                QueuedNotice(id=id, attempts=attempts, created_at=created_at, notice=_NOTICE.decode(document))
                for id, attempts, created_at, document in connection.execute(
                    _SQL["due"], {"now": now, "limit": limit}
                )
            ]

        return await self._database.read(work)

    async def next_due(self) -> float | None:
        def work(connection: Connection) -> float | None:
            (due_at,) = connection.execute(_SQL["next_due"]).fetchone()
            return None if due_at is None else float(due_at)

        return await self._database.read(work)

    async def complete(self, ids: Sequence[int]) -> None:
        def work(connection: Connection) -> None:
            connection.executemany(_SQL["complete"], [{"id": id} for id in ids])

        await self._database.write(work)

    async def hasten(self, *, now: float, latest: float) -> int:
        row = {"now": now, "latest": latest}
        return await self._database.write(lambda connection: connection.execute(_SQL["hasten"], row).rowcount)

    async def postpone(self, id: int, due_at: float) -> None:
        row = {"id": id, "due_at": due_at}

        def work(connection: Connection) -> None:
            connection.execute(_SQL["postpone"], row)

        await self._database.write(work)
