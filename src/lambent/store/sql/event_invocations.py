"""The queue of asynchronous invocations."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

import msgspec

from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventLine
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("event_invocations")
_INVOCATION = Record(EventInvocation)
_KEPT = tuple(
    field.name for field in fields(EventInvocation) if field.name not in ("id", "payload", "response")
)
_kept = attrgetter(*_KEPT)
_encode = msgspec.json.Encoder().encode


class SqlEventInvocationStore:
    """Implements lambent.store.ports.event_invocations.EventInvocationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, invocation: EventInvocation) -> None:
        await self._database.write_together(_insert, invocation)

    async def waiting(self) -> Mapping[EventLine, float]:
        found = await self._database.read(lambda connection: connection.execute(_SQL["waiting"]).fetchall())
        return {_line(text): due_at for text, due_at in found}

    async def claim(
        self, wanted: Mapping[EventLine, int], *, now: float, owner: str, until: float
    ) -> Sequence[EventInvocation]:
        claiming = _Claiming(
            lines=[{"line": _text(line), "now": now, "limit": limit} for line, limit in wanted.items()],
            claim={"owner": owner, "until": until},
        )
        await self._database.write_together(_claim_all, claiming)
        return claiming.claimed

    async def complete(self, invocation: EventInvocation, *, owner: str) -> None:
        await self._database.write_together(_complete, (invocation.id, owner, invocation.request_id))

    async def conclude(self, invocation: EventInvocation, *, owner: str) -> None:
        row = _row(invocation, owner)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["conclude"], row).rowcount:
                connection.execute(_SQL["put_response"], row | {"response": invocation.response})

        await self._database.write(work)

    async def retry(self, invocation: EventInvocation, *, owner: str) -> None:
        await self._changed("retry", _row(invocation, owner))

    async def release(self, owner: str) -> int:
        return await self._changed("release", {"owner": owner})

    async def release_forgotten(self, owner: str, known: Collection[int]) -> int:
        return await self._changed("release_forgotten", {"owner": owner, "ids": json.dumps(list(known))})

    async def release_expired(self, owner: str, now: float) -> int:
        return await self._changed("release_expired", {"owner": owner, "now": now})

    async def hasten(self, *, now: float, latest: float) -> int:
        return await self._changed("hasten", {"now": now, "latest": latest})

    async def release_lost(self) -> int:
        return await self._changed("release_lost", {})

    async def depth(self) -> int:
        (depth,) = await self._database.read(lambda connection: connection.execute(_SQL["depth"]).fetchone())
        return int(depth)

    async def _changed(self, statement: str, row: Mapping[str, Any]) -> int:
        return await self._database.write(
            lambda connection: connection.execute(_SQL[statement], row).rowcount
        )


@dataclass(slots=True, kw_only=True)
class _Claiming:
    lines: Sequence[Mapping[str, Any]]
    claim: Mapping[str, Any]
    claimed: Sequence[EventInvocation] = ()


def _claim_all(connection: Connection, claimings: Sequence[_Claiming]) -> None:
    for claiming in claimings:
        due = [id for row in claiming.lines for (id,) in connection.execute(_SQL["due"], row)]
        ids = json.dumps(due)
        connection.execute(_SQL["claim"], {"ids": ids, **claiming.claim})
        claiming.claimed = [
            _claimed(*columns) for columns in connection.execute(_SQL["claimed"], {"ids": ids})
        ]


def _insert(connection: Connection, invocations: Sequence[EventInvocation]) -> None:
    ids = [id for (id,) in connection.execute(_SQL["next_ids"], {"count": len(invocations)})]
    numbered = list(zip(ids, invocations, strict=True))
    connection.executemany(_SQL["insert_payload"], [(id, invocation.payload) for id, invocation in numbered])
    connection.executemany(
        _SQL["insert"],
        [(id, each.request_id, _text(each.line), each.due_at, _document(each)) for id, each in numbered],
    )


def _complete(connection: Connection, completed: Sequence[tuple[int, str, str]]) -> None:
    """Of (id, owner, request_id). One that is not the owner's (any more) is left alone: its next owner runs
    it."""
    row = {"ids": json.dumps([id for id, _, _ in completed])}
    held = set(connection.execute(_SQL["held"], row))
    ids = json.dumps([each[0] for each in completed if each in held])
    for statement in ("complete", "delete_payloads", "delete_responses"):
        connection.execute(_SQL[statement], {"ids": ids})


def _claimed(id: int, document: str, payload: bytes, response: bytes | None) -> EventInvocation:
    return replace(_INVOCATION.decode(document), id=id, payload=payload, response=response or b"")


def _row(invocation: EventInvocation, owner: str) -> dict[str, Any]:
    return {
        "id": invocation.id,
        "request_id": invocation.request_id,
        "owner": owner,
        "due_at": invocation.due_at,
        "document": _document(invocation),
    }


def _document(invocation: EventInvocation) -> str:
    """All but what is in tables of its own, without making a copy that lacks it: that would cost more than the rest."""
    return _encode({"payload": "", **dict(zip(_KEPT, _kept(invocation), strict=True))}).decode()


def _text(line: EventLine) -> str:
    """As it is stored, and ordered: account/region/function, and /tenant where there is one."""
    id = line.function
    text = f"{id.account_id}/{id.region}/{id.name}"
    return text if line.tenant_id is None else f"{text}/{line.tenant_id}"


def _line(text: str) -> EventLine:
    account_id, region, name, *tenant = text.split("/", 3)
    return EventLine(FunctionId(account_id, region, name), tenant[0] if tenant else None)
