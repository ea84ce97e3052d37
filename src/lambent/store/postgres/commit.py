"""Commits a group of writes to PostgreSQL."""

import random
import time

import psycopg

from lambent.store.ports.errors import OutcomeUnknownError, StoreUnavailableError
from lambent.store.postgres.connection import PostgresConnection
from lambent.store.postgres.errors import COLLISIONS, translated
from lambent.store.postgres.link import Link
from lambent.store.sql.writer import Write, run, steps, tell

_ATTEMPTS = 12
_PAUSE_LEAST, _PAUSE_MOST = 0.001, 0.1


class Committer:
    """Runs each group in one transaction that begins with `begin`."""

    def __init__(self, link: Link, begin: str) -> None:
        self._link = link
        self._begin = begin

    def __call__(self, group: list[Write]) -> None:
        """Commits, and tells the callers. Never raises."""
        self._settle(group)
        tell(group)

    def _settle(self, group: list[Write]) -> None:
        """Leaves in each write what became of it. What was not acknowledged by the database is an error of all: a
        commit whose answer was lost may have been made, and is never told as a success."""
        error = self._run(group)
        if error is None:
            return
        if len(group) == 1 or isinstance(error, StoreUnavailableError):
            for write in group:
                write.error = error
            return
        # What failed together may not fail alone: nobody fails for a neighbour's sake.
        for write in group:
            self._settle([write])

    def _run(self, group: list[Write]) -> Exception | None:
        """Until it is committed, or there is no more sense in it."""
        reconnected = False
        for attempt in range(_ATTEMPTS):
            for write in group:
                write.error = None
            try:
                connection = self._link.get()
            except Exception as error:
                return error
            try:
                self._transact(connection, group)
            except COLLISIONS as error:
                collision = error
                self._undo(connection)
                pause = min(_PAUSE_LEAST * 2**attempt, _PAUSE_MOST)
                time.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
                continue
            except Exception as error:
                if connection.lost and not reconnected and not isinstance(error, StoreUnavailableError):
                    # Nothing was committed. The database may be back already, as after a restart.
                    reconnected = True
                    continue
                self._undo(connection)
                return translated(error)
            return None
        return translated(collision)

    def _transact(self, connection: PostgresConnection, group: list[Write]) -> None:
        connection.begin(self._begin)
        if len(group) == 1:
            run(connection, group)
        else:
            for step in steps(group):
                _run_step(connection, step)
        if not any(write.synced for write in group):
            connection.begin("SET LOCAL synchronous_commit = off")
        try:
            connection.begin("COMMIT")
        except COLLISIONS:
            raise
        except psycopg.Error as error:
            self._link.drop()
            raise OutcomeUnknownError(
                f"the database was lost while it committed, nobody knows whether it did: {error}"
            ) from error

    def _undo(self, connection: PostgresConnection) -> None:
        try:
            connection.begin("ROLLBACK")
        except psycopg.Error:
            self._link.drop()


def _run_step(connection: PostgresConnection, step: list[Write]) -> None:
    connection.begin("SAVEPOINT step")
    try:
        run(connection, step)
    except Exception as error:
        if connection.lost or isinstance(error, COLLISIONS):
            raise
        connection.begin("ROLLBACK TO step")
        if len(step) == 1:
            step[0].error = translated(error)
            return
        for write in step:
            _run_step(connection, [write])
        return
    connection.begin("RELEASE step")
