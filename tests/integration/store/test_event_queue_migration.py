"""Events that an older Lambent has accepted are run by a newer one."""

import sqlite3
from pathlib import Path

from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventLine
from lambent.store.records import Record
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.migrations import migrations
from lambent.store.sqlite.database import SqliteDatabase

BEFORE_LINES = 10
"""The last migration of the queue in which all functions stood in one line."""


def accepted(request_id: str, tenant_id: str | None = None) -> EventInvocation:
    return EventInvocation(
        request_id=request_id,
        account_id="123456789012",
        region="eu-west-1",
        function_name="f",
        qualifier=None,
        invoked_arn="arn",
        payload=b"[1]",
        tenant_id=tenant_id,
        accepted_at=1.0,
        due_at=2.0,
    )


async def test_a_queue_of_before_is_claimed_now(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "lambent.db", isolation_level=None)
    for migration in migrations()[:BEFORE_LINES]:
        connection.executescript(migration.script)
    connection.execute(f"PRAGMA user_version = {BEFORE_LINES}")
    events = [accepted("r-1"), accepted("r-2", "tenant")]
    for id, event in enumerate(events, 1):
        document = Record(EventInvocation).encode(event).replace('"payload":"WzFd"', '"payload":""')
        connection.execute(
            "INSERT INTO event_invocations (id, request_id, due_at, document) VALUES (?, ?, ?, ?)",
            (id, event.request_id, event.due_at, document),
        )
        connection.execute("INSERT INTO event_payloads VALUES (?, ?)", (id, event.payload))
    connection.close()

    database = SqliteDatabase(tmp_path / "lambent.db")
    database.open()
    store = SqlEventInvocationStore(database)
    function = FunctionId("123456789012", "eu-west-1", "f")
    lines = [EventLine(function), EventLine(function, "tenant")]
    assert await store.waiting() == dict.fromkeys(lines, 2.0)
    claimed = await store.claim(dict.fromkeys(lines, 1), now=3.0, owner="o", until=9.0)
    assert [(event.request_id, event.payload, event.tenant_id) for event in claimed] == [
        ("r-1", b"[1]", None),
        ("r-2", b"[1]", "tenant"),
    ]
    database.close()
