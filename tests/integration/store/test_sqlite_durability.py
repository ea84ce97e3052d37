"""What was acknowledged is there after kill -9, and a full disk costs nothing that was there before."""

import os
import resource
import selectors
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lambent.model.invocation import EventInvocation
from lambent.store.ports.errors import StoreFullError
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sqlite.database import SqliteDatabase

WRITER = Path(__file__).with_name("store_writer.py")
LINES_BEFORE_KILL = 400


def killed_while_writing(path: Path, prefix: str) -> set[str]:
    """What a writer had acknowledged when it was killed."""
    with subprocess.Popen([sys.executable, WRITER, path, prefix], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        output = b""
        deadline = time.monotonic() + 20
        with selectors.DefaultSelector() as selector:
            selector.register(writer.stdout, selectors.EVENT_READ)
            while output.count(b"\n") < LINES_BEFORE_KILL and time.monotonic() < deadline:
                if selector.select(timeout=1):
                    chunk = os.read(writer.stdout.fileno(), 65536)
                    if not chunk:
                        break
                    output += chunk
        writer.kill()
        output += writer.stdout.read()
    assert writer.returncode == -9
    return set(output.decode().rsplit("\n", 1)[0].split("\n"))


async def test_what_was_acknowledged_survives_being_killed_again_and_again(tmp_path):
    path = tmp_path / "lambent.db"
    acknowledged: set[str] = set()
    for number in range(4):
        acknowledged |= killed_while_writing(path, str(number))
        with closing(sqlite3.connect(path)) as connection:
            stored = {name for (name,) in connection.execute("SELECT request_id FROM event_invocations")}
            stored |= {name for (name,) in connection.execute("SELECT name FROM functions")}
            (batches,) = connection.execute("SELECT count(*) FROM log_batches").fetchone()
            (whole,) = connection.execute(
                "SELECT count(*) FROM event_invocations JOIN event_payloads USING (id) WHERE length(payload) = 1000"
            ).fetchone()
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        logged = {name for name in acknowledged if name.startswith("log-")}
        assert acknowledged - logged <= stored
        assert len(logged) <= batches
        assert whole == len({name for name in stored if name.startswith("event-")})
    assert len(acknowledged) >= 4 * LINES_BEFORE_KILL


def invocation(request_id: str, payload: bytes) -> EventInvocation:
    return EventInvocation(
        request_id=request_id,
        account_id="1",
        region="r",
        function_name="f",
        qualifier=None,
        invoked_arn="arn",
        payload=payload,
        accepted_at=1.0,
        due_at=1.0,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "lambent-test", disk],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def limited_files(tmp_path: Path) -> Iterator[Path]:
    """Files of this process cannot grow over 2 MB, as with a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def fill(directory: Path, make_room: Callable[[], None]) -> None:
    database = SqliteDatabase(directory / "lambent.db")
    database.open()
    store = SqlEventInvocationStore(database)
    acknowledged = []
    try:
        with pytest.raises(StoreFullError):
            for number in range(100):
                await store.enqueue(invocation(f"r{number}", b"x" * 100_000))
                acknowledged.append(f"r{number}")
        assert len(acknowledged) > 5
        # Old data can be read, and where there is room again writing goes on.
        assert await store.depth() == len(acknowledged)
        make_room()
        await store.enqueue(invocation("after", b"x" * 100_000))
        (function,) = await store.waiting()
        claimed = await store.claim({function: 200}, now=2.0, owner="a", until=9.0)
        assert [each.request_id for each in claimed] == [*acknowledged, "after"]
        assert {len(each.payload) for each in claimed} == {100_000}
    finally:
        database.close()


async def test_a_full_disk_is_an_error_and_no_loss(small_disk):
    await fill(
        small_disk, lambda: subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    )


async def test_a_quota_is_an_error_and_no_loss(limited_files):
    def lift() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    await fill(limited_files, lift)
