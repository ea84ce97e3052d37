"""What was acknowledged is there after syncs and writes that failed, and a power cut: not only after kill -9.

The disk is that of tests/support/fault_layer.c: it loses, tears and reorders what was not synced, and behaves after a
failed sync as Linux does."""

import os
import selectors
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fault_layer import FaultLayer, compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C compiler here")

WRITER = Path(__file__).with_name("store_writer.py")
ACKNOWLEDGED = 150
ROUNDS = 2


class Disk:
    def __init__(self, directory: Path) -> None:
        self.database = directory / "data" / "lambent.db"
        self.database.parent.mkdir()
        self.layer = FaultLayer(self.database.parent, directory / "layer", seed=7)
        self.acknowledged: set[str] = set()
        self._rounds = 0

    def writer(self) -> "subprocess.Popen[bytes]":
        self._rounds += 1
        command = [*self.layer.before, sys.executable, WRITER, self.database, str(self._rounds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def write_until_the_power_is_lost(self, fail: Callable[[FaultLayer], None]) -> None:
        """A writer that meets `fail` after a third of its writes."""
        self.layer.disk()
        with self.writer() as writer:
            output = read_lines(writer, ACKNOWLEDGED // 3)
            fail(self.layer)
            output += read_lines(writer, ACKNOWLEDGED)
            writer.kill()
            assert writer.stdout is not None
            output += writer.stdout.read()
        self.acknowledged |= whole_lines(output)
        self.layer.lose_power(self._rounds)

    def assert_nothing_is_lost(self) -> None:
        with closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            stored = {name for (name,) in connection.execute("SELECT request_id FROM event_invocations")}
            stored |= {name for (name,) in connection.execute("SELECT name FROM functions")}
        logs = {name for name in self.acknowledged if name.startswith("log-")}
        lost = self.acknowledged - logs - stored
        assert not lost, f"{len(lost)} of {len(self.acknowledged)} are lost"


def whole_lines(output: bytes) -> set[str]:
    return set(output.decode().rsplit("\n", 1)[0].split("\n"))


def read_lines(writer: "subprocess.Popen[bytes]", lines: int) -> bytes:
    assert writer.stdout is not None
    output = b""
    deadline = time.monotonic() + 15
    with selectors.DefaultSelector() as selector:
        selector.register(writer.stdout, selectors.EVENT_READ)
        while output.count(b"\n") < lines and time.monotonic() < deadline:
            if selector.select(timeout=0.1):
                output += os.read(writer.stdout.fileno(), 65536)
    assert output.count(b"\n") >= lines, "the writer does not get on"
    return output


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_a_power_cut(disk):
    for _ in range(ROUNDS):
        disk.write_until_the_power_is_lost(lambda layer: None)
        disk.assert_nothing_is_lost()


def test_a_failed_sync_is_not_made_good_by_the_next_one(disk):
    def fail(layer: FaultLayer) -> None:
        layer.disk(fail_sync=0.1)

    for _ in range(ROUNDS):
        disk.write_until_the_power_is_lost(fail)
        assert disk.layer.counts["syncs failed"] > 0
        disk.assert_nothing_is_lost()


def test_a_log_that_was_forgotten_after_a_failed_sync_ends_the_process(disk):
    """Its index names what is gone. Whoever opens the database anew finds what was acknowledged."""
    for _ in range(ROUNDS):
        disk.layer.disk()
        with disk.writer() as writer:
            output = read_lines(writer, ACKNOWLEDGED // 3)
            disk.layer.disk(fail_sync=0.5, forget=True)
            assert writer.stdout is not None
            output += writer.stdout.read()
        assert writer.returncode == os.EX_IOERR
        assert disk.layer.counts["pages lost"] > 0
        disk.acknowledged |= whole_lines(output)
        disk.assert_nothing_is_lost()


def test_writes_that_fail_and_are_cut_short(disk):
    def fail(layer: FaultLayer) -> None:
        layer.disk(fail_write=0.005, short_write=0.2, fail_sync=0.02)

    for _ in range(ROUNDS):
        disk.write_until_the_power_is_lost(fail)
        assert disk.layer.counts["writes cut short"] > 0
        disk.assert_nothing_is_lost()
