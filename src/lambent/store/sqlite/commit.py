"""Commits a group of writes to SQLite."""

import contextlib
import sqlite3

from lambent.store.sql.writer import Write, run, steps
from lambent.store.sqlite.connection import SqliteConnection
from lambent.store.sqlite.errors import translated


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
        with contextlib.suppress(sqlite3.Error):  # a disk that fails, fails here too; the next BEGIN says so
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if len(group) == 1:
            group[0].error = translated(error)
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
            step[0].error = translated(error)
            return
        for write in step:
            _run_step(connection, [write])
        return
    connection.execute("RELEASE step")
