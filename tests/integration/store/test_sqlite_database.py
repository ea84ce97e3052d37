import asyncio
import errno
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from lambent.store.directory_lock import DataDirectoryLock, DirectoryInUseError
from lambent.store.ports.errors import StoreClosedError, StoreError
from lambent.store.sql import migrations, schema
from lambent.store.sql import queries as queries_module
from lambent.store.sql.migrations import Migration
from lambent.store.sql.queries import queries
from lambent.store.sqlite.database import SqliteDatabase
from lambent.store.sqlite.migrate import migrate


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    made = SqliteDatabase(tmp_path / "lambent.db")
    made.open()
    yield made
    made.close()


async def create_table(database: SqliteDatabase) -> None:
    await database.write(
        lambda connection: connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").rowcount
    )


async def numbers(database: SqliteDatabase) -> list[int]:
    return await database.read(
        lambda connection: [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]
    )


def insert(number: int, *, fail: bool = False):
    def work(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        if fail:
            raise KeyError(number)
        return number

    return work


async def test_a_write_that_fails_is_undone_alone(database):
    await create_table(database)
    outcomes = await asyncio.gather(
        *(database.write(insert(n, fail=n % 3 == 0)) for n in range(30)), return_exceptions=True
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == [n for n in range(30) if n % 3]
    assert sum(isinstance(outcome, KeyError) for outcome in outcomes) == 10
    assert await numbers(database) == [n for n in range(30) if n % 3]


async def test_of_writes_made_together_the_one_that_fails_fails_alone(database):
    await create_table(database)
    handed_over: list[int] = []

    def work(connection: sqlite3.Connection, items: list[int]) -> None:
        handed_over.append(len(items))
        connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in items])
        if 7 in items:
            raise KeyError(7)

    await database.write_together(work, 100)
    outcomes = await asyncio.gather(
        *(database.write_together(work, n) for n in range(20)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(KeyError) == 1
    assert isinstance(outcomes[7], KeyError)
    assert await numbers(database) == [n for n in range(20) if n != 7] + [100]
    assert max(handed_over) > 1


async def test_a_caller_is_told_when_its_write_is_on_disk(database, monkeypatch):
    await create_table(database)
    disk, synced = threading.Event(), os.fdatasync

    def wait_for_disk(descriptor: int) -> None:
        disk.wait(10)
        synced(descriptor)

    monkeypatch.setattr(os, "fdatasync", wait_for_disk)

    def work(connection: sqlite3.Connection, items: list[int]) -> None:
        connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in items])

    on_disk = asyncio.ensure_future(database.write(insert(1)))
    await database.write_together(work, 2, synced=False)
    assert await numbers(database) == [1, 2]
    assert not on_disk.done()
    disk.set()
    assert await on_disk == 1


async def test_a_disk_that_cannot_be_synced_is_told_and_nothing_written_until_it_can(database, monkeypatch):
    await create_table(database)

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "as if")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreError, match="may not be on disk"):
            await database.write(insert(1))
        with pytest.raises(StoreError, match="may not be on disk"):
            await database.write(insert(2))
        assert await numbers(database) == [1]  # it may be, and may not: nobody was told
    while True:
        with suppress(StoreError):
            assert await database.write(insert(3)) == 3
            break
        await asyncio.sleep(0.01)
    assert await numbers(database) == [1, 3]


async def test_a_lost_transaction_is_made_again_for_each(database):
    """SQLite may undo a whole transaction itself (a full disk); neighbours must not be told that theirs was made."""
    await create_table(database)

    def undo_all(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("as if")

    writes = [database.write(insert(1)), database.write(undo_all), database.write(insert(2))]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == (1, 2)
    assert isinstance(outcomes[1], sqlite3.OperationalError)
    assert await numbers(database) == [1, 2]


async def test_a_cancelled_caller_harms_nobody(database):
    await create_table(database)
    cancelled = asyncio.ensure_future(database.write(insert(1)))
    other = asyncio.ensure_future(database.write(insert(2)))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await other == 2


async def test_readers_see_a_snapshot_and_cannot_write(database):
    await create_table(database)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(insert(1))
    assert await numbers(database) == []


async def test_closing_commits_what_was_asked_and_refuses_the_rest(tmp_path):
    database = SqliteDatabase(tmp_path / "lambent.db")
    database.open()
    await create_table(database)
    asked = [asyncio.ensure_future(database.write(insert(n))) for n in range(600)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    assert await asyncio.gather(*asked) == list(range(600))
    for attempt in (database.write(insert(1)), numbers(database)):
        with pytest.raises(StoreClosedError):
            await attempt
    database.close()


def test_the_files_are_nobody_elses_to_read(database, tmp_path):
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_schema_of_before_the_table_of_migrations_goes_on(tmp_path):
    path = tmp_path / "lambent.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for migration in migrations.migrations()[:20]:
            connection.executescript(migration.script)
        connection.execute("PRAGMA user_version = 20")
        migrate(connection)
        found = connection.execute("SELECT number FROM lambent_schema").fetchall()
    assert [number for (number,) in found] == [migration.number for migration in migrations.migrations()]


def test_migrating_again_changes_nothing(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        migrate(connection)
        before = list(connection.iterdump())
        migrate(connection)
        assert list(connection.iterdump()) == before


def test_a_migration_that_fails_leaves_the_version_before_it(tmp_path, monkeypatch):
    scripts = ["CREATE TABLE a (n);", "CREATE TABLE b (n); CREATE TABLE b (n);"]
    made = [
        Migration(number=number, name="m", kind="pre", script=script)
        for number, script in enumerate(scripts, 1)
    ]
    monkeypatch.setattr(schema, "migrations", lambda: made)
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [
            ("lambent_schema",),
            ("a",),
        ]


NOUNS = sorted(path.stem for path in Path(queries_module.__file__).parent.glob("*.sql"))
_NO_TABLES = frozenset(
    {"claimed", "lines", "below", "b", "sqlite_sequence", "(subquery-1)", "(subquery-3)"}
) | {"ids", "held", "hidden", "old", "oldest", "new", "again", "discarded"}
"""Common table expressions, which hold what was chosen by an index, and SQLite's own row per table."""
_WHOLE = {
    "retained_groups": "once an hour",
    "garbage": "once an hour",
    "depth": "asked by people",
    ("event_archives", "sweep"): "once an hour",
    "all": "once, when a server starts",
    "all_reserved": "once, when a server starts",
    "all_provisioned": "once, when a server starts",
    ("queues", "next_discarded"): "one row of it",
    ("function_urls", "every"): "once, when a server starts",
    ("topic_archives", "replays"): "an index of those that are under way",
    ("topics", "topics"): "once, when a server starts",
    ("topics", "subscriptions"): "once, when a server starts",
    ("schema", "state"): "a row for each migration",
    ("schema", "older_nodes"): "a row for each node",
    ("nodes", "members"): "a row for each node",
    ("nodes", "leases"): "a few rows for each node",
    ("quotas", "holdings"): "a row for each node",
    ("quotas", "wanted"): "every two seconds, where there are several nodes",
    ("quotas", "held"): "asked by people",
    ("target_deliveries", "release_lost"): "once, when a node was lost",
    ("event_invocations", "release_lost"): "once, when a node was lost",
    ("target_deliveries", "release_lines"): "once, when a node was lost",
}
"""Statements that may read a whole table, each with its reason."""


@pytest.mark.parametrize("noun", NOUNS)
def test_every_statement_is_valid_and_walks_no_whole_table(database, tmp_path, noun):
    with closing(sqlite3.connect(tmp_path / "lambent.db")) as connection:
        connection.create_function("database_now", 0, time.time)
        for name, statement in queries(noun).items():
            parameters = [None] * statement.count("?") if ":" not in statement else AnyParameters()
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            # A step reads "SCAN table" or "SCAN table USING INDEX …"; json_each and subqueries are scanned by design.
            scans = [step for step in steps if step.startswith("SCAN ") and step.split()[1] not in _NO_TABLES]
            scans = [step for step in scans if "json_each" not in step and "CONSTANT ROW" not in step]
            assert not scans or name in _WHOLE or (noun, name) in _WHOLE, f"{name}: {scans}"


class AnyParameters(dict):
    def __missing__(self, name: str) -> int:
        return 1


HOLD = """
import sys, time
from pathlib import Path
from lambent.store.directory_lock import DataDirectoryLock
lock = DataDirectoryLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_data_directory_has_one_server_and_a_dead_one_does_not_count(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lock = DataDirectoryLock(tmp_path)
        with pytest.raises(DirectoryInUseError, match=f"process {holder.pid}.*--data-dir"):
            lock.acquire()
        holder.kill()
        holder.wait()
        lock.acquire()
    with pytest.raises(DirectoryInUseError, match=str(os.getpid())):
        DataDirectoryLock(tmp_path).acquire()
    lock.release()
    lock.release()
    again = DataDirectoryLock(tmp_path)
    again.acquire()
    again.release()
