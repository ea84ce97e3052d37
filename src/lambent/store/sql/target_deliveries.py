"""Deliveries to the targets of rules and schedules."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambent.model.delivery import Delivery, DeliveryQueue
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("target_deliveries")
_DELIVERY = Record(Delivery)
_HELD_BACK = 1e18
"""When those are due that stand in a line behind another, or are claimed: epoch seconds, beyond all others."""


class SqlTargetDeliveryStore:
    """Implements lambent.store.ports.target_deliveries.TargetDeliveryStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        await self._database.write_together(_insert_all, deliveries)

    async def claim(self, queue: DeliveryQueue, *, now: float, owner: str, limit: int) -> Sequence[Delivery]:
        claiming = _Claiming(
            due={"queue": queue, "now": now, "limit": limit},
            claim={"owner": owner, "held_back": _HELD_BACK},
        )
        await self._database.write_together(_claim_all, claiming)
        return claiming.claimed

    async def complete(self, delivery: Delivery, *, owner: str) -> None:
        await self._database.write_together(_complete, (delivery.number, owner))

    async def retry(self, delivery: Delivery, *, owner: str) -> None:
        row = {
            "number": delivery.number,
            "owner": owner,
            "due_at": delivery.due_at,
            "document": _document(delivery),
        }
        await self._database.write(lambda connection: connection.execute(_SQL["retry"], row).rowcount)

    async def release(
        self, queue: DeliveryQueue, *, owner: str, now: float, known: Collection[int] = ()
    ) -> int:
        row = {"queue": queue, "owner": owner, "now": now, "known": json.dumps(list(known))}
        return await self._database.write(
            lambda connection: connection.execute(_SQL["release"], row).rowcount
        )

    async def release_lost(self, queue: DeliveryQueue, *, now: float) -> int:
        row = {"queue": queue, "now": now, "held_back": _HELD_BACK}

        def work(connection: Connection) -> int:
            connection.execute(_SQL["release_lines"], row)
            return connection.execute(_SQL["release_lost"], row).rowcount

        return await self._database.write(work)

    async def hasten(self, queue: DeliveryQueue, *, now: float, latest: float) -> int:
        row = {"queue": queue, "now": now, "latest": latest, "held_back": _HELD_BACK}
        return await self._database.write(lambda connection: connection.execute(_SQL["hasten"], row).rowcount)

    async def next_due(self, queue: DeliveryQueue) -> float | None:
        found = await self._one("next_due", {"queue": queue, "held_back": _HELD_BACK})
        return None if found is None else float(found)

    async def depth(self, queue: DeliveryQueue) -> int:
        return int(await self._one("depth", {"queue": queue}))

    async def busy_lines(self, queue: DeliveryQueue, lines: Collection[str]) -> int:
        rows = [{"queue": queue, "line": line} for line in lines]
        return await self._database.read(
            lambda connection: sum(
                int(connection.execute(_SQL["in_line"], row).fetchone()[0]) for row in rows
            )
        )

    async def _one(self, statement: str, row: Mapping[str, Any]) -> Any:
        (value,) = await self._database.read(
            lambda connection: connection.execute(_SQL[statement], row).fetchone()
        )
        return value


@dataclass(slots=True, kw_only=True)
class _Claiming:
    due: Mapping[str, Any]
    claim: Mapping[str, Any]
    claimed: Sequence[Delivery] = ()


def _claim_all(connection: Connection, claimings: Sequence[_Claiming]) -> None:
    for claiming in claimings:
        due = connection.execute(_SQL["due"], claiming.due)
        numbers = json.dumps([number for (number,) in due])
        connection.execute(_SQL["claim"], {"numbers": numbers, **claiming.claim})
        claimed = connection.execute(_SQL["claimed"], {"numbers": numbers})
        claiming.claimed = [
            replace(_DELIVERY.decode(document), number=number, payload=payload, event=event)
            for number, document, payload, event in claimed
        ]


def insert(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """For those who store something else in the same transaction."""
    for delivery in deliveries:
        row = {
            "queue": delivery.queue,
            "line": delivery.line,
            "due_at": _HELD_BACK if _has_to_wait(connection, delivery) else delivery.due_at,
            "document": _document(delivery),
        }
        (number,) = connection.execute(_SQL["insert"], row).fetchone()
        connection.execute(
            _SQL["insert_payload"],
            {"number": number, "payload": delivery.payload, "event": delivery.event},
        )


def _insert_all(connection: Connection, batches: Sequence[Sequence[Delivery]]) -> None:
    for deliveries in batches:
        insert(connection, deliveries)


def _has_to_wait(connection: Connection, delivery: Delivery) -> bool:
    if delivery.line is None:
        return False
    row = {"queue": delivery.queue, "line": delivery.line}
    connection.execute(_SQL["lock_line"], row)
    return bool(connection.execute(_SQL["in_line"], row).fetchone()[0])


def _complete(connection: Connection, completed: Sequence[tuple[int, str]]) -> None:
    for number, owner in completed:
        row = {"number": number, "owner": owner}
        found = connection.execute(_SQL["complete"], row).fetchone()
        if found is None:
            continue
        connection.execute(_SQL["delete_payload"], row)
        queue, line = found
        if line is not None:
            connection.execute(_SQL["lock_line"], {"line": line})
            connection.execute(_SQL["next_in_line"], {"queue": queue, "line": line})


def _document(delivery: Delivery) -> str:
    return _DELIVERY.encode(replace(delivery, number=0, payload=b"", event=None))
