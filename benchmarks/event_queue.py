"""The queue of events over a long run: does it stay as fast, and as small, as it was at first?

Run: ./dev bench event_queue [--postgres | --database postgresql://…] [--events 1000000] [--backlog 2000]
[--drain] [--old-snapshot]

Puts 1 KB events in and takes them out through the store, with a small backlog all the time; --drain puts all in first,
opens the database anew, and takes all out. Prints the rate of each tenth; on PostgreSQL also dead rows, sizes of tables
and indexes, runs of autovacuum, and WAL. --postgres starts one of its own, as it is without settings. --old-snapshot
keeps a transaction open meanwhile, as a backup does: then nothing that died can be vacuumed.
"""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from benchmarks.store import CLIENTS, WHERE, invocation
from lambent.model.function import FunctionId
from lambent.model.invocation import EventLine
from lambent.server.database import choose_database
from lambent.store.sql.database import Database
from lambent.store.sql.event_invocations import SqlEventInvocationStore

_LINE = EventLine(FunctionId(*WHERE, "f"))
_CLAIMED_MOST = 128
_SLOWDOWN_MOST = 0.8
_SAY = """
SELECT sum(n_dead_tup), sum(pg_table_size(relid)) / 1e6, sum(pg_indexes_size(relid)) / 1e6,
    sum(autovacuum_count), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') / 1e6
FROM pg_stat_user_tables WHERE relname LIKE 'event_invocations%' OR relname LIKE 'event_payloads%'
"""


@dataclass(kw_only=True)
class Progress:
    """Rates of the tenths, as they are completed."""

    events: int
    url: str | None
    done: int = 0
    rates: list[float] = field(default_factory=list)
    dead_most: float = 0.0
    megabytes_most: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def completed(self, count: int) -> None:
        tenth = self.events // 10
        before, self.done = self.done // tenth, self.done + count
        if self.done // tenth > before:
            now = time.perf_counter()
            self.rates.append(tenth / (now - self.began))
            cpu_us = (time.process_time() - self.cpu) / tenth * 1e6
            print(
                f"{self.done:>9,}: {self.rates[-1]:,.0f}/s, {cpu_us:.0f} µs of CPU each{self._tables()}",
                flush=True,
            )
            self.began, self.cpu = time.perf_counter(), time.process_time()

    def _tables(self) -> str:
        if self.url is None:
            return ""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(_SAY).fetchone()
        assert found is not None
        dead, tables, indexes, vacuumed, wal = (float(each or 0) for each in found)
        self.dead_most = max(self.dead_most, dead)
        self.megabytes_most = max(self.megabytes_most, tables + indexes)
        return (
            f"; {dead:,.0f} dead rows, tables {tables:,.0f} MB, indexes {indexes:,.0f} MB, "
            f"vacuumed {vacuumed:,.0f} times, WAL {wal:,.0f} MB"
        )


async def put(store: SqlEventInvocationStore, numbers: Iterator[int], room: asyncio.Semaphore) -> None:
    async def client() -> None:
        for number in numbers:
            await room.acquire()
            await store.enqueue(invocation(number))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def take(store: SqlEventInvocationStore, progress: Progress, room: asyncio.Semaphore) -> None:
    """As the worker does: it looks who waits, claims, and completes each by itself."""
    while progress.done < progress.events:
        waiting = await store.waiting()
        if not waiting:
            await asyncio.sleep(0.001)
            continue
        claimed = await store.claim({_LINE: _CLAIMED_MOST}, now=1e9, owner="a", until=2e9)
        await asyncio.gather(*(store.complete(each, owner="a") for each in claimed))
        for _ in claimed:
            room.release()
        progress.completed(len(claimed))


async def maintained(database: Database) -> None:
    while True:
        await asyncio.sleep(1)
        await database.maintain()


@contextlib.asynccontextmanager
async def opened(url: str | None, directory: Path) -> AsyncIterator[tuple[Database, SqlEventInvocationStore]]:
    began = time.perf_counter()
    database = choose_database(url, directory)
    database.open()
    store = SqlEventInvocationStore(database)
    released = await store.release("a")
    waiting, depth = await store.waiting(), await store.depth()
    print(
        f"opened in {time.perf_counter() - began:.2f} s: {depth:,} events, {len(waiting)} lines, {released} given back"
    )
    try:
        yield database, store
    finally:
        database.close()


async def steady(url: str | None, directory: Path, events: int, backlog: int) -> Progress:
    async with opened(url, directory) as (database, store):
        progress, room = Progress(events=events, url=url), asyncio.Semaphore(backlog)
        maintenance = asyncio.create_task(maintained(database))
        await asyncio.gather(put(store, iter(range(events)), room), take(store, progress, room))
        maintenance.cancel()
    return progress


async def drained(url: str | None, directory: Path, events: int) -> Progress:
    async with opened(url, directory) as (_, store):
        began = time.perf_counter()
        await put(store, iter(range(events)), asyncio.Semaphore(events))
        print(f"put in: {events / (time.perf_counter() - began):,.0f}/s")
    async with opened(url, directory) as (database, store):
        progress = Progress(events=events, url=url)
        maintenance = asyncio.create_task(maintained(database))
        await take(store, progress, asyncio.Semaphore())
        maintenance.cancel()
    return progress


@contextlib.contextmanager
def old_snapshot(url: str | None, *, wanted: bool) -> Iterator[None]:
    if not wanted or url is None:
        yield
        return
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT 1")
        yield


@contextlib.contextmanager
def own_postgres() -> Iterator[str]:
    """The URL of an empty database of a server with PostgreSQL's defaults, fsync and all."""
    from postgres_server import new_postgres_server, programs  # noqa: PLC0415 - found by the path above

    found = programs()
    if found is None:
        sys.exit("no PostgreSQL here: apt-get install postgresql")
    with new_postgres_server(found) as server:
        server.stop()
        server.start(quick=False)
        yield server.new_database()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", help="an empty PostgreSQL database; without it, SQLite")
    arguments.add_argument("--postgres", action="store_true", help="a PostgreSQL of its own")
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--backlog", type=int, default=2_000)
    arguments.add_argument("--drain", action="store_true")
    arguments.add_argument("--old-snapshot", action="store_true")
    given = arguments.parse_args()
    directory = Path(tempfile.mkdtemp())
    try:
        with contextlib.ExitStack() as opened_here:
            url = opened_here.enter_context(own_postgres()) if given.postgres else given.database
            opened_here.enter_context(old_snapshot(url, wanted=given.old_snapshot))
            work = (
                drained(url, directory, given.events)
                if given.drain
                else steady(url, directory, given.events, given.backlog)
            )
            progress = uvloop.run(work)
    finally:
        shutil.rmtree(directory)
    if progress.url is not None:
        print(
            f"at most {progress.dead_most:,.0f} dead rows and {progress.megabytes_most:,.0f} MB of tables and indexes"
        )
    ratio = progress.rates[-1] / progress.rates[0]
    print(f"the last tenth beside the first: {ratio:.2f} (at least {_SLOWDOWN_MOST:g})")
    return 0 if ratio >= _SLOWDOWN_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
