"""One SQLite database: a writer thread that commits in groups, and reader threads that never wait for it.

The fsync is paid once for a group instead of once for a write, by a thread of its own (`wal_sync`): what is read may
be a moment younger than what is on disk, while a caller is told of its write when it is there. That writes are handed
over together matters because sqlite3 gives the interpreter lock up in every step and has to get it back from a busy
event loop.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from lambent.base.threads import Threads
from lambent.store.ports.errors import StoreClosedError, StoreError, StoreUnavailableError
from lambent.store.ports.schema import Schema
from lambent.store.sql.database import Connection
from lambent.store.sql.schema import read_schema
from lambent.store.sql.writer import Write, Writer, tell
from lambent.store.sqlite.commit import commit
from lambent.store.sqlite.connection import SqliteConnection
from lambent.store.sqlite.errors import translated
from lambent.store.sqlite.migrate import migrate
from lambent.store.sqlite.wal_sync import WalSync

T = TypeVar("T")
Item = TypeVar("Item")

_READERS = 2
_SQLITE_LEAST = (3, 38)


class SqliteDatabase:
    """Implements lambent.store.sql.database.Database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer("sqlite-writer", self._commit)
        self._sync = WalSync(path)
        self._readers = Threads("sqlite-reader", _READERS)
        self._local = threading.local()
        self._connections: list[SqliteConnection] = []
        self._connections_lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
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
        self._readers.start()

    async def schema(self) -> Schema:
        return await self.read(read_schema)

    async def migrate(self) -> Schema:
        await asyncio.to_thread(self._migrate)
        return await self.schema()

    async def write(self, work: Callable[[Connection], T]) -> T:
        result: T = await self._writer.submit(work, None)
        return result

    async def write_together(
        self, work: Callable[[Connection, Sequence[Item]], None], item: Item, *, synced: bool = True
    ) -> None:
        await self._writer.submit(work, (item,), synced=synced)

    async def read(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise StoreClosedError("the database is closed")
        return await self._readers.run(partial(self._read, work))

    async def maintain(self) -> None:
        """Nothing: room is used again at once."""

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._sync.close()
        self._readers.close()
        for connection in self._connections:
            connection.close()

    def _commit(self, group: list[Write]) -> None:
        if (refusal := self._sync.refusal()) is not None:
            for write in group:
                write.error = refusal
            tell(group)
            return
        commit(self._writer_connection, group)
        to_sync = [write for write in group if write.synced and write.error is None]
        if len(to_sync) < len(group):
            tell([write for write in group if not write.synced or write.error is not None])
        if to_sync:
            self._sync.hand_over(to_sync)

    def _migrate(self) -> None:
        connection = self._connect()
        with self._connections_lock:
            self._connections.remove(connection)
        try:
            migrate(connection)
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(f"the tables could not be changed: {error}") from error
        finally:
            connection.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        # One transaction, so that several statements see one snapshot.
        try:
            connection.execute("BEGIN")
            return work(connection)
        except sqlite3.Error as error:
            raise translated(error) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _connect(self) -> SqliteConnection:
        connection = sqlite3.connect(
            self._path,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
            cached_statements=256,
            factory=SqliteConnection,
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
