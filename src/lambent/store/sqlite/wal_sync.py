"""Syncing the write-ahead log behind the writer: while one group's fsync is under way, the next group is written.

SQLite's own fsync (synchronous = FULL) is part of COMMIT, so that nobody can write meanwhile. With NORMAL it syncs
where its own files depend on it: the log's header, and the log before a checkpoint. What was committed since is synced
here, by the log's file, before its callers are told. A log that a checkpoint has begun anew meanwhile was synced by it.

When a sync fails, a later one that succeeds says nothing of what the failed one should have written. From then on
everything is refused until the log is written again as a whole (`wal_repair`).

Source: https://www.sqlite.org/wal.html#performance_considerations and https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import errno
import logging
import os
import queue
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from lambent.base.disk import sync_directory
from lambent.store.ports.errors import OutcomeUnknownError, StoreError, StoreFullError, StoreUnavailableError
from lambent.store.sql.writer import Write, tell
from lambent.store.sqlite.errors import translated
from lambent.store.sqlite.wal_repair import LogDamagedError, rewrite

log = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REPAIR_SECONDS = 0.5
_BUSY_SECONDS = 30.0


class WalSync:
    """A thread that syncs the log of the database at `path`, once for all groups that were handed over by then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._index = path.with_name(f"{path.name}-shm")
        self._pending: queue.SimpleQueue[list[Write] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sqlite-sync", daemon=True)
        self._descriptor: int | None = None
        self._failure: OSError | None = None

    def start(self) -> None:
        """Of a database that is open. What was left in its log may come from a process that a failed sync has ended.
        Raises OSError, StoreError."""
        if self._log.exists():
            try:
                self._rewrite(index=None)
            except sqlite3.Error as error:
                raise translated(error) from error
        self._thread.start()

    def refusal(self) -> StoreError | None:
        """Why nothing may be written, while that is so."""
        failure = self._failure
        if failure is None:
            return None
        kind = StoreFullError if failure.errno in _FULL else StoreUnavailableError
        return kind(f"what was written may not be on disk: {failure}")

    def _doubt(self) -> StoreError | None:
        """What is told of a write that was made when the log could not be synced."""
        refusal = self.refusal()
        return None if refusal is None else OutcomeUnknownError(str(refusal))

    def hand_over(self, group: list[Write]) -> None:
        """A group that is committed. Its callers are told when it is on disk, or that it may not be."""
        self._pending.put(group)

    def close(self) -> None:
        """When everything that was handed over is synced. Blocking."""
        if self._thread.is_alive():
            self._pending.put(None)
            self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            group, last = self._take()
            if self._failure is not None:
                self._repair()
            if group and self._failure is None:
                self._sync()
            doubt = self._doubt()
            for write in group:
                write.error = doubt
            tell(group)
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _take(self) -> tuple[list[Write], bool]:
        """All that was handed over, and whether it is the last. Nothing when it is time to try a repair again."""
        taken: list[Write] = []
        try:
            more = self._pending.get(timeout=None if self._failure is None else _REPAIR_SECONDS)
            while more is not None:
                taken += more
                more = self._pending.get_nowait()
        except queue.Empty:
            return taken, False
        return taken, True

    def _sync(self) -> None:
        try:
            if self._descriptor is None:
                self._descriptor = self._open()
            os.fdatasync(self._descriptor)
        except OSError as error:
            log.error("the database's log could not be synced, nothing is written until it is: %s", error)
            self._failure = error
            self._repair()

    def _repair(self) -> None:
        try:
            self._rewrite(index=self._index)
        except LogDamagedError as error:
            _end(error)
        except (OSError, sqlite3.Error) as error:
            if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
                _end(error)
            log.debug("the database's log could not be written again: %s", error)
            return
        self._failure = None
        log.warning("the database's log was written again and is synced")

    def _rewrite(self, *, index: Path | None) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                rewrite(self._log, index=index)
            finally:
                connection.execute("ROLLBACK")

    def _open(self) -> int:
        """Now that there was a commit, the log is there, and it stays the same file until the database is closed."""
        sync_directory(self._log.parent)
        return os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)


def _end(error: Exception) -> NoReturn:
    """At once: what would be read from now on, or copied into the database, is not what was written."""
    log.critical("%s: the server ends, and has to be started again", error)
    os._exit(os.EX_IOERR)
