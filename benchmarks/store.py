"""What the store costs, beside the same inserts by bare sqlite3. Run: python benchmarks/store.py
[--large | --database postgresql://…]

Prints medians; trust the ratios, not the numbers: the disk's fsync decides most of them. --large measures on
1,000,000 queued events and 10,000 functions with 20 versions each, which takes minutes. --database enqueues in an
empty PostgreSQL database, beside the same inserts by bare psycopg there.
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import uvloop

from lambent.base.ids import new_uuid
from lambent.model.function import CodeReference, Function, FunctionId, FunctionVersion, LoggingConfig
from lambent.model.invocation import EventInvocation, EventLine
from lambent.store.ports.logs import LogEvent
from lambent.store.postgres.database import PostgresDatabase
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.functions import SqlFunctionStore
from lambent.store.sql.logs import SqlLogStore
from lambent.store.sqlite.database import SqliteDatabase

WHERE = ("123456789012", "eu-west-1")
CLIENTS = 256
EVENTS = 20_000


def invocation(number: int) -> EventInvocation:
    return EventInvocation(
        request_id=new_uuid(),
        account_id=WHERE[0],
        region=WHERE[1],
        function_name="f",
        qualifier=None,
        invoked_arn=f"arn:aws:lambda:{WHERE[1]}:{WHERE[0]}:function:f",
        payload=b"x" * 1024,
        accepted_at=float(number),
        due_at=float(number),
    )


def bare_group_commit(path: Path, clients: int = CLIENTS) -> float:
    """Inserts per second of the same rows by sqlite3 alone, in transactions of as many rows as there are
    clients."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("CREATE TABLE e (id INTEGER PRIMARY KEY, request_id TEXT, due REAL, document TEXT)")
    connection.execute("CREATE INDEX due ON e (due)")
    connection.execute("CREATE TABLE p (id INTEGER PRIMARY KEY, payload BLOB)")
    rows = [(n, new_uuid(), float(n), "d" * 330) for n in range(EVENTS)]
    began = time.perf_counter()
    for start in range(0, EVENTS, clients):
        some = rows[start : start + clients]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO p VALUES (?, ?)", [(row[0], b"x" * 1024) for row in some])
        connection.executemany("INSERT INTO e VALUES (?, ?, ?, ?)", some)
        connection.execute("COMMIT")
    return EVENTS / (time.perf_counter() - began)


async def enqueue(store: SqlEventInvocationStore, count: int) -> float:
    waiting = iter([invocation(number) for number in range(count)])

    async def client() -> None:
        for each in waiting:
            await store.enqueue(each)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - began)


async def median_ms(work: Callable[[int], Awaitable[object]], times: int = 200) -> float:
    taken = []
    for number in range(times):
        began = time.perf_counter()
        await work(number)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


async def queue_costs(directory: Path, queued: int) -> None:
    database = SqliteDatabase(directory / "queue.db")
    database.open()
    store = SqlEventInvocationStore(database)
    bare_group_commit(directory / "warm_up.db")
    bare = bare_group_commit(directory / "bare.db")
    ours = await enqueue(store, EVENTS)
    print(f"enqueue 1 KB: {ours:,.0f}/s; the same rows by bare sqlite3: {bare:,.0f}/s; {ours / bare:.2f}")
    await enqueue(store, queued - EVENTS)

    async def claim(number: int) -> None:
        wanted = {EventLine(FunctionId(*WHERE, "f")): 64}
        claimed = await store.claim(wanted, now=1e9, owner="a", until=2e9)
        await asyncio.gather(*(store.complete(each, owner="a") for each in claimed))

    print(f"claim and complete 64 with {queued:,} queued: {await median_ms(claim):.2f} ms")
    print(f"waiting {await median_ms(lambda _: store.waiting()):.3f} ms, ", end="")
    print(f"depth {await median_ms(lambda _: store.depth(), 5):.1f} ms")
    database.close()


def function(name: str) -> Function:
    id = FunctionId(*WHERE, name)
    latest = FunctionVersion(
        function=id,
        runtime="python3.13",
        handler="app.handler",
        role=f"arn:aws:iam::{WHERE[0]}:role/role",
        code=CodeReference(digest="0" * 64, sha256="c" * 44, size=1000),
        variables={f"VARIABLE_{n}": "value" * 4 for n in range(5)},
        logging=LoggingConfig(log_group=f"/aws/lambda/{name}"),
        last_modified=1.0,
        revision_id="r",
        state="Active",
    )
    return Function(id=id, latest=latest, serving=latest)


async def function_costs(directory: Path, functions: int, versions: int) -> None:
    database = SqliteDatabase(directory / "functions.db")
    database.open()
    store = SqlFunctionStore(database)

    async def make(names: Iterator[str]) -> None:
        for name in names:
            made = function(name)
            await store.insert(made)
            for number in range(1, versions + 1):
                version = replace(made.latest, version=str(number))
                await store.publish(made, version, expected_revision_id="r")

    names = iter([f"function-{number:06}" for number in range(functions)])
    await asyncio.gather(*(make(names) for _ in range(CLIENTS)))
    somewhere = [FunctionId(*WHERE, f"function-{n * 37 % functions:06}") for n in range(200)]
    print(f"{functions:,} functions with {versions} versions each:")
    for name, work in {
        "get": lambda n: store.get(somewhere[n]),
        "get_version": lambda n: store.get_version(somewhere[n], "7"),
        "create": lambda n: store.insert(function(f"new-{n}")),
        "update": lambda n: store.replace(function(somewhere[n].name), expected_revision_id="r"),
        "first page of 50": lambda n: store.page(*WHERE, after=None, limit=50),
        "last page of 50": lambda n: store.page(*WHERE, after=f"function-{functions - 60:06}", limit=50),
        "page of 50 versions": lambda n: store.page_versions(somewhere[n], after=0, limit=50),
        "all versions, page of 50": lambda n: store.page_all_versions(
            *WHERE, after=(somewhere[n].name, 3), limit=50
        ),
        "usage": lambda n: store.usage(*WHERE),
    }.items():
        print(f"  {name}: {await median_ms(work):.2f} ms")
    database.close()


async def log_costs(directory: Path) -> None:
    database = SqliteDatabase(directory / "logs.db")
    database.open()
    store = SqlLogStore(database)
    streams, events_each, times = 20, 50, 200
    in_loop = 0.0
    began = time.perf_counter()
    for moment in range(times):
        batches = [
            (
                *WHERE,
                "/aws/lambda/f",
                f"stream-{stream}",
                [
                    LogEvent(moment * 1000 + n, moment * 1000, f"message {n} of {moment}\n")
                    for n in range(events_each)
                ],
            )
            for stream in range(streams)
        ]
        cpu = time.thread_time()
        await store.append_many(batches)
        in_loop += time.thread_time() - cpu
    elapsed = time.perf_counter() - began
    count = streams * events_each * times
    loop_us = in_loop / count * 1e6
    print(f"append_many: {loop_us:.3f} µs CPU per event in the loop, {count / elapsed:,.0f} events/s")

    def read(limit: int, *, descending: bool = False, start_ms: int | None = None) -> Awaitable[object]:
        return store.read(
            *WHERE,
            "/aws/lambda/f",
            streams=None,
            start_ms=start_ms,
            end_ms=None,
            after=None,
            before=None,
            descending=descending,
            limit=limit,
        )

    newest = await median_ms(lambda _: read(100, descending=True), 20)
    middle = await median_ms(lambda _: read(100, start_ms=times * 500), 20)
    print(f"read 100 of {count:,} events: the newest {newest:.2f} ms, from the middle {middle:.2f} ms")
    database.close()


def bare_postgres(url: str) -> float:
    """As `bare_group_commit`, in PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare_e, bare_p")
        connection.execute(
            "CREATE TABLE bare_e (id BIGINT PRIMARY KEY, request_id TEXT, due FLOAT8, document TEXT)"
        )
        connection.execute("CREATE INDEX ON bare_e (due)")
        connection.execute("CREATE TABLE bare_p (id BIGINT PRIMARY KEY, payload BYTEA)")
        rows = [(n, new_uuid(), float(n), "d" * 330) for n in range(EVENTS)]
        began = time.perf_counter()
        for start in range(0, EVENTS, CLIENTS):
            some = rows[start : start + CLIENTS]
            with connection.transaction(), connection.cursor() as cursor:
                payloads = [(row[0], b"x" * 1024) for row in some]
                cursor.executemany("INSERT INTO bare_p VALUES (%s, %s)", payloads)
                cursor.executemany("INSERT INTO bare_e VALUES (%s, %s, %s, %s)", some)
        taken = time.perf_counter() - began
        connection.execute("DROP TABLE bare_e, bare_p")
    return EVENTS / taken


async def postgres_costs(url: str) -> None:
    database = PostgresDatabase(url)
    database.open()
    store = SqlEventInvocationStore(database)
    bare = bare_postgres(url)
    ours = await enqueue(store, EVENTS)
    print(f"enqueue 1 KB: {ours:,.0f}/s; the same rows by bare psycopg: {bare:,.0f}/s; {ours / bare:.2f}")
    database.close()


async def main(*, large: bool, url: str | None) -> None:
    if url is not None:
        await postgres_costs(url)
        return
    with tempfile.TemporaryDirectory() as directory:
        await queue_costs(Path(directory), 1_000_000 if large else 100_000)
        await function_costs(Path(directory), 10_000 if large else 1_000, 20)
        await log_costs(Path(directory))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--large", action="store_true")
    arguments.add_argument("--database")
    given = arguments.parse_args()
    uvloop.run(main(large=given.large, url=given.database))
