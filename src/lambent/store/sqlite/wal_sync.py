"""Syncing the write-ahead log behind the writer: while one group's fsync is under way, the next group is written.

SQLite's own fsync (synchronous = FULL) is part of COMMIT, so that nobody can write meanwhile. With NORMAL it syncs
where its own files depend on it: the log's header, and the log before a checkpoint. What was committed since is synced
here, by the log's file, before its callers are told. A log that a checkpoint has begun anew meanwhile was synced by it.

Source: https://www.sqlite.org/wal.html#performance_considerations and https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import errno
import os
import queue
import threading
from pathlib import Path

from lambent.store.ports.errors import StoreError, StoreFullError
from lambent.store.sql.writer import Write, tell

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class WalSync:
    """A thread that syncs the log of the database at `path`, once for all groups that were handed over by then."""

    def __init__(self, path: Path) -> None:
        self._log = path.with_name(f"{path.name}-wal")
        self._pending: queue.SimpleQueue[list[Write] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sqlite-sync", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hand_over(self, group: list[Write]) -> None:
        """A group that is committed. Its callers are told when it is on disk, or that it may not be."""
        self._pending.put(group)

    def close(self) -> None:
        """When everything that was handed over is synced. Blocking."""
        if self._thread.is_alive():
            self._pending.put(None)
            self._thread.join()

    def _run(self) -> None:
        descriptor: int | None = None
        last = False
        while not last and (group := self._pending.get()) is not None:
            while not last and not self._pending.empty():
                more = self._pending.get()
                last = more is None
                group = group if more is None else group + more
            try:
                if descriptor is None:
                    descriptor = self._open()
                os.fdatasync(descriptor)
            except OSError as error:
                for write in group:
                    write.error = _translate(error)
            tell(group)
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        """Now that there was a commit, the log is there, and it stays the same file until the database is closed."""
        directory = os.open(self._log.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)


def _translate(error: OSError) -> StoreError:
    kind = StoreFullError if error.errno in _FULL else StoreError
    return kind(f"what was written may not be on disk: {error}")
