"""One SQLite database: a writer thread that commits in groups, and reader threads that never wait for it.

The fsync is paid once for a group instead of once for a write, by a thread of its own (`wal_sync`): what is read may
be a moment younger than what is on disk, while a caller is told of its write when it is there. What many callers do at
once, such as enqueueing, is handed over with `write_together`: one savepoint for all, and rows inserted by one call.
That matters because sqlite3 gives the interpreter lock up in every step and has to get it back from a busy event loop.
"""

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from lambent.store.ports.errors import StoreClosedError, StoreError
from lambent.store.sqlite.group import Write, commit, tell
from lambent.store.sqlite.migrate import migrate
from lambent.store.sqlite.wal_sync import WalSync

T = TypeVar("T")
Item = TypeVar("Item")

_GROUP_MOST = 512
_READERS = 2
_SQLITE_LEAST = (3, 38)


class SqliteDatabase:
    """`write` runs a function in the next transaction and returns once that is committed and synced; `read`
    runs one on a snapshot. The functions are given a connection, run on another thread, and must not commit.
    A function given to `write` may be run again after its changes were undone, so it must have no effect but
    on the connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_groups, name="sqlite-writer", daemon=True)
        self._sync = WalSync(path)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        """Creates or migrates the database. Blocking; called once, before the first read or write.

        Raises MigrationError where a newer Lambent wrote it."""
        if sqlite3.sqlite_version_info < _SQLITE_LEAST:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Lambent needs 3.38 or newer")
        # SQLite gives its journals the mode of the database: variables and payloads are nobody else's
        # business.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = self._connect()
        try:
            migrate(connection)
        except BaseException:
            self.close()
            raise
        self._writer_connection = connection
        self._sync.start()
        self._writer.start()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Raises what `work` raises (its own changes are undone, its neighbours' are not); StoreFullError;
        StoreClosedError. When the caller is cancelled, the change may still be made."""
        result: T = await self._submit(work, None, synced=True)
        return result

    async def write_together(
        self,
        work: Callable[[sqlite3.Connection, Sequence[Item]], None],
        item: Item,
        *,
        synced: bool = True,
    ) -> None:
        """As `write`, but the items of callers that give the same `work` at the same time are handed to it
        together. Where it raises it is run again for each item alone, so that one's failure is only its
        own. What is not `synced` outlives this process, but it may be gone after a power cut, with nothing that was
        made before it: for what nobody relies on."""
        await self._submit(work, (item,), synced=synced)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreClosedError("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def close(self) -> None:
        """Commits what was queued, then closes. Blocking, idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._writer.is_alive():
            self._pending.put(None)
            self._writer.join()
            self._sync.close()
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()

    def _submit(
        self, work: Callable[..., Any], item: tuple[Any] | None, *, synced: bool
    ) -> "asyncio.Future[Any]":
        if self._closed:
            raise StoreClosedError("the database is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._pending.put(Write(work, item, loop, done, synced=synced))
        return done

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        # One transaction, so that several statements see one snapshot.
        connection.execute("BEGIN")
        try:
            return work(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _write_groups(self) -> None:
        while (first := self._pending.get()) is not None:
            group = [first]
            last = False
            while len(group) < _GROUP_MOST and not self._pending.empty():
                write = self._pending.get()
                if write is None:
                    last = True
                    break
                group.append(write)
            self._write_group(group)
            if last:
                break

    def _write_group(self, group: list[Write]) -> None:
        commit(self._writer_connection, group)
        to_sync = [write for write in group if write.synced and write.error is None]
        if len(to_sync) < len(group):
            tell([write for write in group if not write.synced or write.error is not None])
        if to_sync:
            self._sync.hand_over(to_sync)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=256
        )
        with self._connections_lock:
            self._connections.append(connection)
        connection.create_function("database_now", 0, time.time)
        connection.execute("PRAGMA journal_mode = WAL")
        # An acknowledged write survives a power cut, not only a crash: `wal_sync` sees to it.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        # Some distributions overwrite what is deleted, page by page; FAST does so only where it costs no more
        # I/O.
        connection.execute("PRAGMA secure_delete = FAST").fetchall()
        return connection
