"""Deleting log batches that nobody can read any more, a few at a time, so that other writes pass in
between."""

from collections import defaultdict

from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("logs")
_STEP = 500


async def expire_batches(database: Database, group_id: int, cutoff_ms: int) -> int:
    """Deletes the batches of a group whose newest event is older than `cutoff_ms`. Returns how many."""
    total = 0
    while True:
        deleted = await database.write(lambda connection: _expire_some(connection, group_id, cutoff_ms))
        total += deleted
        if deleted < _STEP:
            return total


async def delete_garbage(database: Database) -> int:
    """Deletes the batches of deleted streams. Returns how many."""
    total = 0
    while (deleted := await database.write(_delete_some_garbage)) is not None:
        total += deleted
    return total


def _expire_some(connection: Connection, group_id: int, cutoff_ms: int) -> int:
    row = {"group_id": group_id, "cutoff_ms": cutoff_ms, "limit": _STEP}
    deleted = connection.execute(_SQL["expire_batches"], row).fetchall()
    bytes_by_stream: defaultdict[int, int] = defaultdict(int)
    for stream_id, stored_bytes in deleted:
        bytes_by_stream[stream_id] += stored_bytes
    shrunk = 0
    for stream_id, stored_bytes in bytes_by_stream.items():
        # A deleted stream's bytes were taken off its group when it was deleted.
        sizes = {"stream_id": stream_id, "stored_bytes": stored_bytes}
        shrunk += stored_bytes if connection.execute(_SQL["shrink_stream"], sizes).rowcount else 0
    connection.execute(_SQL["shrink_group"], {"group_id": group_id, "stored_bytes": shrunk})
    return len(deleted)


def _delete_some_garbage(connection: Connection) -> int | None:
    """None when nothing is left."""
    found = connection.execute(_SQL["garbage"]).fetchone()
    if found is None:
        return None
    row = {"stream_id": found[0], "limit": _STEP}
    deleted = connection.execute(_SQL["delete_garbage"], row).rowcount
    if deleted < _STEP:
        connection.execute(_SQL["forget_garbage"], row)
    return deleted
