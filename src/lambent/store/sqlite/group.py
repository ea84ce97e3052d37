"""Group commit: many callers' writes in one transaction, each of them atomic on its own."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

from lambent.store.ports.errors import StoreFullError

_FULL = frozenset(
    # Beside ENOSPC (FULL), a quota or a file-size limit fails the write itself (IOERR_WRITE), and a full disk
    # may be noticed when SQLite extends the WAL index.
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
)


class Write:
    """One caller's write. With `item` (a tuple of one), `work` is given the items of all who name the same
    work. `synced`: the caller is told when it is on disk, and not already when it is made."""

    __slots__ = ("done", "error", "item", "loop", "result", "synced", "work")

    def __init__(
        self,
        work: Callable[..., Any],
        item: tuple[Any] | None,
        loop: asyncio.AbstractEventLoop,
        done: "asyncio.Future[Any]",
        *,
        synced: bool,
    ) -> None:
        self.work = work
        self.item = item
        self.loop = loop
        self.done = done
        self.synced = synced
        self.result: Any = None
        self.error: Exception | None = None


def tell(group: list[Write]) -> None:
    """Tells each caller how its write went. Never raises: no caller may wait for ever."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Write]] = {}
    for write in group:
        by_loop.setdefault(write.loop, []).append(write)
    for loop, writes in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, writes)
        except RuntimeError:  # that loop was closed: nobody waits
            continue


def commit(connection: sqlite3.Connection, group: list[Write]) -> None:
    """Makes the writes; how each went is left in it. Never raises."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        steps = _steps(group)
        if len(steps) == 1:  # with nobody beside it, a savepoint would do what the transaction does
            _run(connection, steps[0])
        else:
            for step in steps:
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


def _steps(group: list[Write]) -> list[list[Write]]:
    """Those who share their work become one step, where the first of them stood; all others are steps of
    one."""
    steps: list[list[Write]] = []
    shared: dict[Callable[..., Any], list[Write]] = {}
    for write in group:
        step = shared.get(write.work) if write.item else None
        if step is None:
            step = []
            steps.append(step)
            if write.item:
                shared[write.work] = step
        step.append(write)
    return steps


def _run(connection: sqlite3.Connection, step: list[Write]) -> None:
    first = step[0]
    if first.item is None:
        first.result = first.work(connection)
    else:
        first.work(connection, [write.item[0] for write in step if write.item])


def _run_step(connection: sqlite3.Connection, step: list[Write]) -> None:
    connection.execute("SAVEPOINT step")
    try:
        _run(connection, step)
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


def _settle(writes: list[Write]) -> None:
    for write in writes:
        if write.done.done():  # the caller was cancelled; the change stays
            continue
        if write.error is not None:
            write.done.set_exception(write.error)
        else:
            write.done.set_result(write.result)


def _translate(error: Exception) -> Exception:
    # A bare errorcode check would miss errors that Python raises itself (a closed connection has no code).
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) in _FULL:
        return StoreFullError(f"the disk that holds the database takes no more: {error}")
    return error
