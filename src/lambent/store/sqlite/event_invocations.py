"""The queue of asynchronous invocations, in SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import Any

from lambent.model.invocation import EventInvocation
from lambent.store.records import Record
from lambent.store.sqlite.database import Database
from lambent.store.sqlite.queries import queries

_SQL = queries("event_invocations")
_INVOCATION = Record(EventInvocation)


class SqliteEventInvocationStore:
    """Implements lambent.store.ports.event_invocations.EventInvocationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, invocation: EventInvocation) -> None:
        await self._database.write_together(_insert, invocation)

    async def claim(self, *, now: float, owner: str, until: float, limit: int) -> Sequence[EventInvocation]:
        def work(connection: sqlite3.Connection) -> list[EventInvocation]:
            row = {"now": now, "limit": limit}
            due = connection.execute(_SQL["due"], row).fetchall()
            run_out = connection.execute(_SQL["run_out"], row).fetchall()
            ids = json.dumps([id for _, id in islice(merge(due, run_out), limit)])
            connection.execute(_SQL["claim"], {"ids": ids, "owner": owner, "until": until})
            claimed = connection.execute(_SQL["claimed"], {"ids": ids})
            return [replace(_INVOCATION.decode(document), payload=payload) for document, payload in claimed]

        return await self._database.write(work)

    async def complete(self, request_id: str, *, owner: str) -> None:
        await self._database.write_together(_complete, (owner, request_id))

    async def retry(self, invocation: EventInvocation, *, owner: str) -> None:
        row = {
            "request_id": invocation.request_id,
            "owner": owner,
            "due_at": invocation.due_at,
            "document": _document(invocation),
        }
        await self._database.write(lambda connection: connection.execute(_SQL["retry"], row).rowcount)

    async def release(self, owner: str) -> int:
        return await self._database.write(
            lambda connection: connection.execute(_SQL["release"], {"owner": owner}).rowcount
        )

    async def next_due(self) -> float | None:
        found = await self._one("next_due")
        return None if found is None else float(found)

    async def depth(self) -> int:
        return int(await self._one("depth"))

    async def _one(self, statement: str) -> Any:
        (value,) = await self._database.read(
            lambda connection: connection.execute(_SQL[statement]).fetchone()
        )
        return value


def _insert(connection: sqlite3.Connection, invocations: Sequence[EventInvocation]) -> None:
    (last,) = connection.execute(_SQL["last_id"]).fetchone()
    numbered = list(enumerate(invocations, last + 1))
    connection.executemany(_SQL["insert_payload"], [(id, invocation.payload) for id, invocation in numbered])
    connection.executemany(
        _SQL["insert"],
        [
            (id, invocation.request_id, invocation.due_at, _document(invocation))
            for id, invocation in numbered
        ],
    )


def _complete(connection: sqlite3.Connection, completed: Sequence[tuple[str, str]]) -> None:
    """Of (owner, request_id). One that is not the owner's (any more) is left alone: its next owner runs
    it."""
    for owner, request_id in completed:
        row = {"owner": owner, "request_id": request_id}
        for (id,) in connection.execute(_SQL["complete"], row).fetchall():
            connection.execute(_SQL["delete_payload"], {"id": id})


def _document(invocation: EventInvocation) -> str:
    return _INVOCATION.encode(replace(invocation, payload=b""))
