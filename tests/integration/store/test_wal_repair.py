"""Which logs count as whole. The logs are SQLite's own."""

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from lambent.store.sqlite.wal_repair import LogDamagedError, rewrite


@pytest.fixture
def opened(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        for number in range(20):
            connection.execute("INSERT INTO t VALUES (?)", (str(number) * 500,))
        yield tmp_path / "db"


def paths(database: Path) -> tuple[Path, Path]:
    return database.with_name("db-wal"), database.with_name("db-shm")


def test_a_whole_log_stays_as_it_is(opened):
    log, index = paths(opened)
    before = log.read_bytes()
    rewrite(log, index=index)
    assert log.read_bytes() == before


def test_a_log_that_a_checkpoint_began_anew_is_whole_though_old_frames_follow(opened):
    log, index = paths(opened)
    with closing(sqlite3.connect(opened, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
        connection.execute("INSERT INTO t VALUES ('new')")
    size = log.stat().st_size
    rewrite(log, index=index)
    assert log.stat().st_size == size


@pytest.mark.parametrize("frame", [0, 7, -1])
def test_a_frame_that_is_read_otherwise_is_damage(opened, frame):
    log, index = paths(opened)
    content = bytearray(log.read_bytes())
    size = 24 + struct.unpack_from(">I", content, 8)[0]
    frames = (len(content) - 32) // size
    content[32 + frame % frames * size + 1000] ^= 1
    log.write_bytes(content)
    with pytest.raises(LogDamagedError):
        rewrite(log, index=index)


def test_a_log_that_lost_its_end_is_damaged(opened):
    log, index = paths(opened)
    log.write_bytes(log.read_bytes()[:-5000])
    with pytest.raises(LogDamagedError):
        rewrite(log, index=index)
