"""That the queue's statements are answered by indexes, so that a long queue costs no more than a short one."""

from pathlib import Path

import pytest

from lambent.store.sql.queries import queries
from lambent.store.sqlite.database import SqliteDatabase

_SQL = queries("event_invocations")
_ROW = {
    "line": "1/r/f",
    "now": 1.0,
    "latest": 2.0,
    "until": 2.0,
    "limit": 1,
    "count": 1,
    "owner": "o",
    "ids": "[1]",
    "id": 1,
    "request_id": "r",
    "due_at": 1.0,
    "document": "{}",
    "response": b"",
}
_WHOLE = {"depth"}
"""Counts: by whole indexes, and only when somebody asks."""


@pytest.mark.parametrize("name", sorted(set(_SQL) - {"insert", "insert_payload", "put_response"}))
async def test_no_statement_reads_the_table_from_end_to_end(tmp_path: Path, name: str) -> None:
    database = SqliteDatabase(tmp_path / "lambent.db")
    database.open()
    plan = await database.write(
        lambda connection: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {_SQL[name]}", _ROW)]
    )
    database.close()
    scans = [step for step in plan if step.startswith("SCAN event_")]
    if name in _WHOLE:
        assert all("INDEX" in step for step in scans), plan
    else:
        assert not scans, plan
    if name == "due":
        assert not any("TEMP B-TREE" in step for step in plan), plan
