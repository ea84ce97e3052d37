"""Run as a process of its own and killed: writes for ever, and prints the name of each write once it is acknowledged.
A write that the store refuses is not printed; the next one is made.

usage: store_writer.py DATABASE ROUND
"""

import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from lambent.model.function import CodeReference, Function, FunctionId, FunctionVersion, LoggingConfig
from lambent.model.invocation import EventInvocation
from lambent.store.ports.errors import StoreError
from lambent.store.ports.logs import LogEvent
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.functions import SqlFunctionStore
from lambent.store.sql.logs import SqlLogStore
from lambent.store.sqlite.database import SqliteDatabase

WHERE = ("123456789012", "eu-west-1")


def event(name: str, payload: bytes = b"x" * 1000) -> EventInvocation:
    return EventInvocation(
        request_id=name,
        account_id=WHERE[0],
        region=WHERE[1],
        function_name="f",
        qualifier=None,
        invoked_arn="arn",
        payload=payload,
        accepted_at=1.0,
        due_at=1.0,
    )


def function(name: str) -> Function:
    id = FunctionId(*WHERE, name)
    latest = FunctionVersion(
        function=id,
        runtime="python3.13",
        handler="a.b",
        role="r",
        code=CodeReference(digest="d", sha256="s", size=1),
        logging=LoggingConfig(log_group="g"),
        last_modified=1.0,
        revision_id="r",
    )
    return Function(id=id, latest=latest)


async def acknowledge(write: Awaitable[Any], name: str) -> None:
    try:
        await write
    except StoreError:
        await asyncio.sleep(0.001)
    else:
        os.write(1, f"{name}\n".encode())


async def write_for_ever(path: Path, prefix: str) -> None:
    database = SqliteDatabase(path)
    database.open()
    events, functions, logs = (
        SqlEventInvocationStore(database),
        SqlFunctionStore(database),
        SqlLogStore(database),
    )

    async def enqueue(writer: int) -> None:
        for number in itertools.count():
            name = f"event-{prefix}-{writer}-{number}"
            await acknowledge(events.enqueue(event(name)), name)

    async def create() -> None:
        for number in itertools.count():
            name = f"function-{prefix}-{number}"
            await acknowledge(functions.insert(function(name)), name)

    async def log() -> None:
        for number in itertools.count():
            name = f"log-{prefix}-{number}"
            await acknowledge(logs.append(*WHERE, "g", "s", [LogEvent(number, 1, name)], create=True), name)

    await asyncio.gather(create(), log(), *(enqueue(writer) for writer in range(8)))


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1]), sys.argv[2]))
