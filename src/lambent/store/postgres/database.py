"""One PostgreSQL database, which other nodes may use at the same time."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import psycopg

from lambent.base.threads import Threads
from lambent.store.ports.errors import StoreClosedError
from lambent.store.ports.schema import Schema
from lambent.store.postgres.commit import Committer
from lambent.store.postgres.errors import translated
from lambent.store.postgres.event_slots import rotate
from lambent.store.postgres.link import Link
from lambent.store.postgres.migrate import migrate
from lambent.store.postgres.outage import Outage
from lambent.store.sql.database import Connection
from lambent.store.sql.schema import read_schema
from lambent.store.sql.writer import Writer

T = TypeVar("T")
Item = TypeVar("Item")

_READERS = 4


class PostgresDatabase:
    """Implements lambent.store.sql.database.Database. `url` is a connection URI of libpq, which may name several
    hosts; what it leaves out comes from libpq's own variables and files."""

    def __init__(self, url: str, *, bridged_seconds: float = 0.0) -> None:
        """`bridged_seconds` of an outage are waited for before anybody is refused."""
        self._url = url
        self._links: list[Link] = []
        self._links_lock = threading.Lock()
        self._outage = Outage(bridged_seconds=bridged_seconds)
        self._writer = Writer(
            "postgres-writer", Committer(self._link(), "BEGIN ISOLATION LEVEL SERIALIZABLE")
        )
        self._together = Writer(
            "postgres-together", Committer(self._link(), "BEGIN ISOLATION LEVEL READ COMMITTED")
        )
        self._maintenance = self._link()
        self._readers = Threads("postgres-reader", _READERS)
        self._local = threading.local()
        self._closed = False

    def open(self) -> None:
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise
        self._writer.start()
        self._together.start()
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
        await self._together.submit(work, (item,), synced=synced)

    async def read(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise StoreClosedError("the database is closed")
        return await self._readers.run(partial(self._read, work))

    async def maintain(self) -> None:
        await asyncio.to_thread(self._maintain)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._together.close()
        self._readers.close()
        for link in self._links:
            link.drop()

    def _maintain(self) -> None:
        try:
            rotate(self._maintenance.get())
        except psycopg.Error as error:
            self._maintenance.drop()
            raise translated(error) from error

    def _migrate(self) -> None:
        link = Link(self._url, Outage())  # who starts is told at once
        try:
            migrate(link.get())
        except psycopg.Error as error:
            raise translated(error) from error
        finally:
            link.drop()

    def _read(self, work: Callable[[Connection], T]) -> T:
        link: Link | None = getattr(self._local, "link", None)
        if link is None:
            link = self._local.link = self._link()
        try:
            return _read(link, work)
        except psycopg.Error as error:
            raise translated(error) from error

    def _link(self) -> Link:
        link = Link(self._url, self._outage)
        with self._links_lock:
            self._links.append(link)
        return link


def _read(link: Link, work: Callable[[Connection], T], *, again: bool = True) -> T:
    connection = link.get()
    try:
        connection.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return work(connection)
    except psycopg.Error:
        if connection.lost and again:
            return _read(link, work, again=False)
        raise
    finally:
        if not connection.lost:
            connection.begin("COMMIT")
