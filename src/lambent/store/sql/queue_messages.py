"""Messages in SQS queues.

What many callers do at once (send, receive, delete) is committed together: each hands in an item that its result is
left in. A run that was undone is repeated, and sets the result again.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from lambent.model.queue import QueueDepth, QueueMessage
from lambent.store.ports.queue_messages import Held, Moved, Place, Receipt, Receive, Received, Sent
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries
from lambent.store.sql.queue_groups import settle_groups
from lambent.store.sql.queue_receiving import move, receive_together
from lambent.store.sql.queue_rows import NewRows, change_depth, remove, remove_all

_SQL = queries("queue_messages")


@dataclass(slots=True, kw_only=True)
class _Sending:
    queue_id: int
    messages: Sequence[tuple[QueueMessage, int]]
    now: int
    is_fifo: bool
    duplicates_until: int
    sent: Sequence[Sent] = ()


@dataclass(slots=True)
class _Receiving:
    asked: Receive
    received: Received = field(default_factory=Received)


@dataclass(slots=True, kw_only=True)
class _Deleting:
    queue_id: int
    receipts: Sequence[Receipt]
    now: int
    is_fifo: bool
    held: Sequence[Held] = ()


class _Row(NamedTuple):
    """Of a message that a receipt speaks of."""

    queue_id: int
    id: int
    receive_count: int
    visible_at: int
    received_at: int | None
    group: str | None


_ROWS = msgspec.json.Decoder(list[_Row] | None)


class SqlQueueMessageStore:
    """Implements lambent.store.ports.queue_messages.QueueMessageStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(
        self,
        queue_id: int,
        messages: Sequence[tuple[QueueMessage, int]],
        *,
        now: int,
        is_fifo: bool,
        duplicates_until: int,
    ) -> Sequence[Sent]:
        sending = _Sending(
            queue_id=queue_id, messages=messages, now=now, is_fifo=is_fifo, duplicates_until=duplicates_until
        )
        await self._database.write_together(_send_all, sending)
        return sending.sent

    async def receive(self, asked: Receive) -> Received:
        receiving = _Receiving(asked)
        # Only who consumes a FIFO queue relies on a receipt: of a standard queue, a message may come twice.
        await self._database.write_together(_receive_all, receiving, synced=asked.is_fifo)
        return receiving.received

    async def delete(
        self, queue_id: int, receipts: Sequence[Receipt], *, now: int, is_fifo: bool
    ) -> Sequence[Held]:
        deleting = _Deleting(queue_id=queue_id, receipts=receipts, now=now, is_fifo=is_fifo)
        await self._database.write_together(_delete_all, deleting)
        return deleting.held

    async def change_visibility(
        self, queue_id: int, changes: Sequence[tuple[Receipt, int, int]], *, now: int, is_fifo: bool
    ) -> Sequence[Held | int]:
        return await self._database.write(
            lambda connection: _change_visibility(connection, queue_id, changes, now, is_fifo)
        )

    async def move(
        self,
        queue_id: int,
        places: Mapping[str | None, Place],
        *,
        now: int,
        limit: int,
        is_fifo: bool,
    ) -> Moved:
        asked = Receive(
            queue_id=queue_id, is_fifo=is_fifo, limit=limit, now=now, hidden_until=now, expired_at=0
        )
        return await self._database.write(lambda connection: move(connection, asked, places))

    async def depth(self, queue_id: int, *, now: int) -> QueueDepth:
        row = {"queue_id": queue_id, "now": now}
        total, in_flight, delayed = await self._database.read(
            lambda connection: connection.execute(_SQL["depth"], row).fetchone()
        )
        return QueueDepth(visible=max(0, total - in_flight - delayed), in_flight=in_flight, delayed=delayed)

    async def expire(self, queue_id: int, *, expired_at: int, limit: int) -> int:
        def work(connection: Connection) -> int:
            row = {"queue_id": queue_id, "expired_at": expired_at, "limit": limit}
            expired = connection.execute(_SQL["expired"], row).fetchall()
            remove(connection, queue_id, [id for id, _ in expired])
            settle_groups(connection, queue_id, {group for _, group in expired if group is not None})
            return len(expired)

        return await self._database.write(work)

    async def bring_back(self, queue_id: int, *, now: int) -> int:
        def work(connection: Connection) -> int:
            row = {"queue_id": queue_id, "now": now}
            changed = connection.execute(_SQL["bring_back"], row).fetchall()
            settle_groups(connection, queue_id, {group for (group,) in changed if group is not None})
            return len(changed)

        return await self._database.write(work)

    async def oldest_sent_at(self, queue_id: int) -> int | None:
        row = {"queue_id": queue_id}
        (found,) = await self._database.read(
            lambda connection: connection.execute(_SQL["oldest"], row).fetchone()
        )
        return None if found is None else int(found)

    async def sweep_deduplication(self, *, now: int, latest: int) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_SQL["forget"], {"now": now})
            connection.execute(_SQL["forget_sooner"], {"latest": latest})

        await self._database.write(work)


def _send_all(connection: Connection, sendings: Sequence[_Sending]) -> None:
    rows = NewRows(connection, sum(len(sending.messages) for sending in sendings))
    arrivals: Counter[int] = Counter()
    # By queue, whose depth is changed: in one order for all, so that of two none waits for the other for ever.
    for sending in sorted(sendings, key=lambda each: each.queue_id):
        sending.sent = sent = []
        for message, visible_at in sending.messages:
            id = rows.take_id()
            duplicate = _remember(connection, sending, message, id)
            if duplicate is None:
                rows.add(id, sending.queue_id, message, visible_at, is_fifo=sending.is_fifo)
            sent.append(duplicate or Sent(id=id, message_id=message.message_id))
        arrivals[sending.queue_id] += sum(not one.duplicate for one in sent)
    for queue_id, count in arrivals.items():
        change_depth(connection, queue_id, count)
    rows.insert()


def _remember(connection: Connection, sending: _Sending, message: QueueMessage, id: int) -> Sent | None:
    """What was sent before where this is a duplicate of it."""
    if message.deduplication_scope is None:
        return None
    row = {
        "queue_id": sending.queue_id,
        "scope": message.deduplication_scope,
        "deduplication_id": message.deduplication_id,
        "message_id": message.message_id,
        "sent_id": id,
        "until": sending.duplicates_until,
        "now": sending.now,
    }
    if connection.execute(_SQL["remember"], row).rowcount:
        return None
    sent_id, message_id = connection.execute(_SQL["duplicate"], row).fetchone()
    return Sent(id=sent_id, message_id=message_id, duplicate=True)


def _receive_all(connection: Connection, receivings: Sequence[_Receiving]) -> None:
    alike: defaultdict[object, list[_Receiving]] = defaultdict(list)
    for receiving in receivings:
        alike[_question(receiving.asked)].append(receiving)
    for same in alike.values():
        answers = receive_together(connection, [receiving.asked for receiving in same])
        for receiving, answer in zip(same, answers, strict=True):
            receiving.received = answer


def _question(asked: Receive) -> object:
    """What is equal for those who can be answered by one look at a queue. Who gets what of a FIFO queue depends on what
    those before got."""
    if asked.is_fifo:
        return id(asked)
    return asked.queue_id, asked.hidden_until - asked.now, asked.now - asked.expired_at, asked.dead_letters


def _delete_all(connection: Connection, deletings: Sequence[_Deleting]) -> None:
    found = _found(connection, [receipt for deleting in deletings for receipt in deleting.receipts])
    ids: defaultdict[int, list[int]] = defaultdict(list)
    groups: defaultdict[int, set[str]] = defaultdict(set)
    for deleting in deletings:
        deleting.held = held = []
        for receipt in deleting.receipts:
            row = found.get((deleting.queue_id, receipt[0]))
            verdict = _verdict(row, receipt, deleting.now, deleting.is_fifo)
            if row is not None and verdict is Held.CURRENT:
                del found[deleting.queue_id, receipt[0]]  # nobody deletes it a second time
                ids[deleting.queue_id].append(receipt[0])
                if row.group is not None:
                    groups[deleting.queue_id].add(row.group)
            held.append(verdict)
    remove_all(connection, ids)
    for queue_id in sorted(groups):
        settle_groups(connection, queue_id, groups[queue_id])


def _found(connection: Connection, receipts: Sequence[Receipt]) -> dict[tuple[int, int], _Row]:
    """The messages that receipts speak of, by queue and id."""
    listed = {"ids": json.dumps([id for id, _ in receipts])}
    (rows,) = connection.execute(_SQL["receipts"], listed).fetchone()
    return {row[:2]: row for row in _ROWS.decode(rows or "null") or ()}


def _verdict(row: _Row | None, receipt: Receipt, now: int, is_fifo: bool) -> Held:
    """What the receipt is worth."""
    if row is None:
        return Held.GONE
    if row.receive_count != receipt[1] or (is_fifo and row.visible_at <= now):
        return Held.SUPERSEDED
    return Held.CURRENT


def _change_visibility(
    connection: Connection,
    queue_id: int,
    changes: Sequence[tuple[Receipt, int, int]],
    now: int,
    is_fifo: bool,
) -> list[Held | int]:
    outcomes: list[Held | int] = []
    groups: set[str] = set()
    found = _found(connection, [receipt for receipt, _, _ in changes])
    for receipt, until, longest in changes:
        row = found.get((queue_id, receipt[0]))
        held = _verdict(row, receipt, now, is_fifo)
        if held is Held.SUPERSEDED and not is_fifo:
            held = Held.CURRENT
        if row is None or held is not Held.CURRENT:
            outcomes.append(held)
            continue
        received_at = row.received_at or 0
        if until - received_at > longest:
            outcomes.append(received_at)
            continue
        connection.execute(_SQL["hide"], {"id": receipt[0], "until": until})
        if row.group is not None:
            groups.add(row.group)
        outcomes.append(held)
    settle_groups(connection, queue_id, groups)
    return outcomes
