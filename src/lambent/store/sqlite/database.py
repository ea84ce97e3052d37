"""One SQLite database: a writer thread that commits in groups, and reader threads that never wait for it."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from lambent.store.ports.errors import StoreFullError
from lambent.store.sqlite.migrate import migrate

T = TypeVar("T")

_GROUP_MOST = 256
_READERS = 2


class Database:
    """`write` runs a function in the next transaction and returns once that is committed and synced; `read` runs one on
    a snapshot. The functions are given a connection, run on another thread, and must not commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_groups, name="sqlite-writer", daemon=True)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()

    def open(self) -> None:
        """Creates or migrates the database. Blocking; called once, before the first read or write."""
        connection = _connect(self._path)
        try:
            migrate(connection)
        finally:
            connection.close()
        self._writer.start()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Raises what `work` raises (its own changes are undone, its neighbours' are not); StoreFullError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._pending.put(_Write(work, loop, done))
        return await done

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def close(self) -> None:
        """Commits what was queued, then closes. Blocking."""
        if self._writer.is_alive():
            self._pending.put(None)
            self._writer.join()
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _connect(self._path)
            connection.execute("PRAGMA query_only = ON")
            with self._connections_lock:
                self._connections.append(connection)
        # One transaction, so that several statements see one snapshot.
        connection.execute("BEGIN")
        try:
            return work(connection)
        finally:
            connection.execute("ROLLBACK")

    def _write_groups(self) -> None:
        connection = _connect(self._path)
        stopping = False
        while not stopping:
            group: list[_Write] = []
            item = self._pending.get()
            while True:
                if item is None:
                    stopping = True
                    break
                group.append(item)
                if len(group) >= _GROUP_MOST or self._pending.empty():
                    break
                item = self._pending.get()
            if group:
                _commit(connection, group)
        connection.close()


class _Write:
    __slots__ = ("done", "error", "loop", "result", "work")

    def __init__(
        self, work: Callable[[sqlite3.Connection], Any], loop: asyncio.AbstractEventLoop, done: "asyncio.Future[Any]"
    ) -> None:
        self.work = work
        self.loop = loop
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.done.done():  # the caller was cancelled; the change stays
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.result)


def _commit(connection: sqlite3.Connection, group: "list[_Write]") -> None:
    """Runs a group in one transaction, each write in a savepoint of its own, and settles each after the commit."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for write in group:
            connection.execute("SAVEPOINT one")
            try:
                write.result = write.work(connection)
            except Exception as error:
                connection.execute("ROLLBACK TO one")
                write.error = _translate(error)
            connection.execute("RELEASE one")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for write in group:
            write.error = write.error or _translate(error)
    by_loop: dict[asyncio.AbstractEventLoop, list[_Write]] = {}
    for write in group:
        by_loop.setdefault(write.loop, []).append(write)
    for loop, writes in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, writes)


def _settle(writes: "list[_Write]") -> None:
    for write in writes:
        write.settle()


def _translate(error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
    ):
        return StoreFullError(str(error))
    return error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: an acknowledged write survives a power cut, not only a crash. Group commit pays for it.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
