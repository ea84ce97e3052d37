"""Messages in SQS queues.

What many callers do at once (send, receive, delete) is committed together: each hands in an item that its result is
left in. A run that was undone is repeated, and sets the result again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambent.model.queue import QueueDepth, QueueMessage
from lambent.store.ports.queue_messages import Held, Moved, Place, Receipt, Receive, Received, Sent
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries
from lambent.store.sql.queue_groups import settle_groups
from lambent.store.sql.queue_receiving import move, receive
from lambent.store.sql.queue_rows import NewRows, change_depth, remove

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
        await self._database.write_together(_receive_all, receiving)
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

    async def oldest_sent_at(self, queue_id: int) -> int | None:
        row = {"queue_id": queue_id}
        (found,) = await self._database.read(
            lambda connection: connection.execute(_SQL["oldest"], row).fetchone()
        )
        return None if found is None else int(found)

    async def sweep_deduplication(self, *, now: int) -> None:
        await self._database.write(
            lambda connection: connection.execute(_SQL["forget"], {"now": now}).rowcount
        )


def _send_all(connection: Connection, sendings: Sequence[_Sending]) -> None:
    rows = NewRows(connection)
    for sending in sendings:
        sending.sent = sent = []
        for message, visible_at in sending.messages:
            duplicate = _duplicate(connection, sending, message)
            if duplicate is None:
                id = rows.add(sending.queue_id, message, visible_at, is_fifo=sending.is_fifo)
                _remember(connection, sending, message, id)
            sent.append(duplicate or Sent(id=id, message_id=message.message_id))
        change_depth(connection, sending.queue_id, sum(not one.duplicate for one in sent))
    rows.insert()


def _duplicate(connection: Connection, sending: _Sending, message: QueueMessage) -> Sent | None:
    if message.deduplication_scope is None:
        return None
    row = {
        "queue_id": sending.queue_id,
        "scope": message.deduplication_scope,
        "deduplication_id": message.deduplication_id,
        "now": sending.now,
    }
    found = connection.execute(_SQL["duplicate"], row).fetchone()
    return None if found is None else Sent(id=found[0], message_id=found[1], duplicate=True)


def _remember(connection: Connection, sending: _Sending, message: QueueMessage, id: int) -> None:
    if message.deduplication_scope is None:
        return
    row = {
        "queue_id": sending.queue_id,
        "scope": message.deduplication_scope,
        "deduplication_id": message.deduplication_id,
        "message_id": message.message_id,
        "sent_id": id,
        "until": sending.duplicates_until,
    }
    connection.execute(_SQL["remember"], row)


def _receive_all(connection: Connection, receivings: Sequence[_Receiving]) -> None:
    for receiving in receivings:
        receiving.received = receive(connection, receiving.asked)


def _delete_all(connection: Connection, deletings: Sequence[_Deleting]) -> None:
    for deleting in deletings:
        deleting.held = held = []
        ids: list[int] = []
        groups: set[str] = set()
        for receipt in deleting.receipts:
            verdict, _, group = _look_up(
                connection, deleting.queue_id, receipt, deleting.now, deleting.is_fifo
            )
            if verdict is Held.CURRENT and receipt[0] not in ids:
                ids.append(receipt[0])
                if group is not None:
                    groups.add(group)
            held.append(verdict)
        remove(connection, deleting.queue_id, ids)
        settle_groups(connection, deleting.queue_id, groups)


def _look_up(
    connection: Connection, queue_id: int, receipt: Receipt, now: int, is_fifo: bool
) -> tuple[Held, int, str | None]:
    """What the receipt is worth, and of its message the moment of receipt and the group."""
    id, receive_count = receipt
    found = connection.execute(_SQL["receipt"], {"id": id, "queue_id": queue_id}).fetchone()
    if found is None:
        return Held.GONE, 0, None
    stored_count, visible_at, received_at, group = found
    if stored_count != receive_count or (is_fifo and visible_at <= now):
        return Held.SUPERSEDED, received_at or 0, group
    return Held.CURRENT, received_at, group


def _change_visibility(
    connection: Connection,
    queue_id: int,
    changes: Sequence[tuple[Receipt, int, int]],
    now: int,
    is_fifo: bool,
) -> list[Held | int]:
    outcomes: list[Held | int] = []
    groups: set[str] = set()
    for receipt, until, longest in changes:
        held, received_at, group = _look_up(connection, queue_id, receipt, now, is_fifo)
        if held is Held.SUPERSEDED and not is_fifo:
            held = Held.CURRENT
        if held is Held.CURRENT and until - received_at > longest:
            outcomes.append(received_at)
            continue
        if held is Held.CURRENT:
            connection.execute(_SQL["hide"], {"id": receipt[0], "until": until})
            if group is not None:
                groups.add(group)
        outcomes.append(held)
    settle_groups(connection, queue_id, groups)
    return outcomes
