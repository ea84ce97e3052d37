"""Events in archives."""

import json
from collections.abc import Mapping, Sequence

from lambent.model.event_archive import ArchivedEvent
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("event_archives")


class SqlEventArchiveStore:
    """Implements lambent.store.ports.event_archives.EventArchiveStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[ArchivedEvent]) -> None:
        await self._database.write_together(_insert_all, events)

    async def page(
        self, archive_id: str, *, start: float, end: float, after: tuple[float, int] | None, limit: int
    ) -> Sequence[ArchivedEvent]:
        after_time, after_number = after or (start, 0)
        row = {
            "archive_id": archive_id,
            "start": start,
            "end": end,
            "after_time": after_time,
            "after_number": after_number,
            "limit": limit,
        }
        found = await self._database.read(lambda connection: connection.execute(_SQL["page"], row).fetchall())
        return [
            ArchivedEvent(
                number=number, archive_id=archive_id, time=time, archived_at=archived_at, event=event
            )
            for number, time, archived_at, event in found
        ]

    async def size(self, archive_id: str) -> tuple[int, int]:
        row = {"archive_id": archive_id}
        count, size = await self._database.read(
            lambda connection: connection.execute(_SQL["size"], row).fetchone()
        )
        return count, size

    async def sweep(self, oldest: Mapping[str, float], *, limit: int) -> int:
        row = {"oldest": json.dumps(dict(oldest)), "limit": limit}
        return await self._database.write(lambda connection: connection.execute(_SQL["sweep"], row).rowcount)


def _insert_all(connection: Connection, batches: Sequence[Sequence[ArchivedEvent]]) -> None:
    connection.executemany(
        _SQL["insert"],
        [
            (event.archive_id, event.time, event.archived_at, event.event)
            for events in batches
            for event in events
        ],
    )
