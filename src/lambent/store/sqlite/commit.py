"""Commits a group of writes to SQLite."""

import sqlite3

from lambent.store.ports.errors import StoreFullError
from lambent.store.sql.writer import Write, run, steps
from lambent.store.sqlite.connection import SqliteConnection

_FULL = frozenset(
    # Beside ENOSPC (FULL), a quota or a file-size limit fails the write itself (IOERR_WRITE), and a full disk
    # may be noticed when SQLite extends the WAL index.
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
)


def commit(connection: SqliteConnection, group: list[Write]) -> None:
    """Makes the writes; how each went is left in it. Never raises."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        several = steps(group)
        if len(several) == 1:  # with nobody beside it, a savepoint would do what the transaction does
            run(connection, several[0])
        else:
            for step in several:
                _run_step(connection, step)
        connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if len(group) == 1:
            group[0].error = _translate(error)
            return
        # What was too much for the disk together may fit alone: nobody fails for a neighbour's sake.
        for write in group:
            write.error = None
            commit(connection, [write])


def _run_step(connection: SqliteConnection, step: list[Write]) -> None:
    connection.execute("SAVEPOINT step")
    try:
        run(connection, step)
    except Exception as error:
        if not connection.in_transaction:  # SQLite undid everything itself, as it may where the disk is full
            raise
        connection.execute("ROLLBACK TO step")
        connection.execute("RELEASE step")
        if len(step) == 1:
            step[0].error = _translate(error)
            return
        for write in step:
            _run_step(connection, [write])
        return
    connection.execute("RELEASE step")


def _translate(error: Exception) -> Exception:
    # A bare errorcode check would miss errors that Python raises itself (a closed connection has no code).
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) in _FULL:
        return StoreFullError(f"the disk that holds the database takes no more: {error}")
    return error
