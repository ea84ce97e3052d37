"""Receiving: which messages are next, which are dead letters, which are too old."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from lambent.base.ids import new_uuid
from lambent.model.queue import QueueMessage, ReceivedMessage
from lambent.store.ports.queue_messages import DeadLetters, Moved, Place, Receive, Received
from lambent.store.sql.database import Connection
from lambent.store.sql.queries import queries
from lambent.store.sql.queue_groups import settle_groups
from lambent.store.sql.queue_rows import NewRows, change_depth, decode_message, remove

_SQL = queries("queue_messages")
_ROUNDS_MOST = 20
"""Of messages that turn out to be too old or dead letters: others write too. Whoever receives comes again."""

_Row = tuple[int, int, int, int, int | None, str]


class _Candidate(NamedTuple):
    """A row that was found. A tuple, for there are ten of them in every receive."""

    visible_at: int
    id: int
    receive_count: int
    sent_at: int
    first_received_at: int | None
    message: QueueMessage


_CANDIDATES = msgspec.json.Decoder(list[_Candidate])


def receive(connection: Connection, asked: Receive) -> Received:
    dead = 0
    for _ in range(_ROUNDS_MOST):
        found = _fifo(connection, asked) if asked.is_fifo else _standard(connection, asked)
        expired = [one for one in found if one.sent_at <= asked.expired_at]
        dying = [one for one in found if one.sent_at > asked.expired_at and _is_dead(one, asked.dead_letters)]
        if not expired and not dying:
            return _received(connection, asked, found, dead)
        remove(connection, asked.queue_id, [one.id for one in expired])
        if asked.dead_letters is not None and dying:
            _bury(connection, asked, asked.dead_letters, dying)
            dead += len(dying)
        if asked.is_fifo:
            settle_groups(connection, asked.queue_id, _groups(expired + dying))
    return Received(next_due=asked.now, dead=dead)


def receive_together(connection: Connection, asked: Sequence[Receive]) -> Sequence[Received]:
    """Of a standard queue, for those who ask at once and differ in nothing but their limits and some milliseconds:
    found by one look, and dealt out to one after the other."""
    latest = max(asked, key=lambda one: one.now)
    found = receive(connection, replace(latest, limit=sum(one.limit for one in asked)))
    dealt: list[Received] = []
    first = 0
    for one in asked:
        messages = found.messages[first : first + one.limit]
        first += len(messages)
        dealt.append(Received(messages=messages, next_due=found.next_due, dead=0 if dealt else found.dead))
    if found.messages and not dealt[-1].messages:
        next_due = _next_due(connection, latest)
        dealt = [one if one.messages else replace(one, next_due=next_due) for one in dealt]
    return dealt


def _received(connection: Connection, asked: Receive, taken: Sequence[_Candidate], dead: int) -> Received:
    if taken:
        return Received(messages=_take(connection, asked, taken), dead=dead)
    return Received(next_due=_next_due(connection, asked), dead=dead)


def _next_due(connection: Connection, asked: Receive) -> int | None:
    row = {"queue_id": asked.queue_id, "now": asked.now}
    due: int | None = connection.execute(_SQL["next_due"], row).fetchone()[0]
    return due


def _take(connection: Connection, asked: Receive, taken: Sequence[_Candidate]) -> list[ReceivedMessage]:
    ids = json.dumps([one.id for one in taken])
    connection.execute(_SQL["receive"], {"ids": ids, "until": asked.hidden_until, "now": asked.now})
    if asked.is_fifo:
        settle_groups(connection, asked.queue_id, _groups(taken))
    return [
        ReceivedMessage(
            id=one.id,
            receive_count=one.receive_count + 1,
            first_received_at=one.first_received_at or asked.now,
            message=one.message,
        )
        for one in taken
    ]


def _standard(connection: Connection, asked: Receive) -> list[_Candidate]:
    row = {"queue_id": asked.queue_id, "now": asked.now, "limit": asked.limit}
    unseen, seen = (_decoded(rows) for rows in connection.execute(_SQL["visible"], row).fetchone())
    if not seen:
        return unseen
    return list(islice(merge(unseen, seen, key=lambda one: one[:2]), asked.limit))


def _decoded(rows: str | None) -> list[_Candidate]:
    return [] if rows is None else _CANDIDATES.decode(f"[{rows}]")


def _fifo(connection: Connection, asked: Receive) -> list[_Candidate]:
    """As many of one group as there are, then of the next group."""
    row = {"queue_id": asked.queue_id, "now": asked.now, "limit": asked.limit}
    found: list[_Candidate] = []
    for (group,) in connection.execute(_SQL["groups"], row).fetchall():
        left = asked.limit - len(found)
        if left == 0:
            break
        of_group = connection.execute(_SQL["of_group"], row | {"group": group, "limit": left}).fetchall()
        found += _visible(of_group, asked.now)
    return found


def _visible(rows: Sequence[_Row], now: int) -> Iterator[_Candidate]:
    """Up to the first that is delayed: what was sent after it has to wait for it."""
    for row in rows:
        if row[0] > now:
            return
        yield _candidate(row)


def _candidate(row: _Row) -> _Candidate:
    visible_at, id, receive_count, sent_at, first_received_at, document = row
    return _Candidate(
        visible_at=visible_at,
        id=id,
        receive_count=receive_count,
        sent_at=sent_at,
        first_received_at=first_received_at,
        message=decode_message(document),
    )


def _is_dead(one: _Candidate, dead_letters: DeadLetters | None) -> bool:
    return dead_letters is not None and one.receive_count >= dead_letters.max_receive_count


def _bury(connection: Connection, asked: Receive, where: DeadLetters, dying: Sequence[_Candidate]) -> None:
    """On a standard queue a message grows no younger by this; on a FIFO queue its retention begins anew."""
    rows = NewRows(connection, len(dying))
    for one in dying:
        message = replace(
            one.message,
            sent_at=asked.now if where.is_fifo else one.message.sent_at,
            dead_letter_source_arn=where.source_arn,
            earlier_receive_count=one.message.earlier_receive_count + one.receive_count,
        )
        rows.add(
            rows.take_id(),
            where.queue_id,
            message,
            asked.now,
            is_fifo=where.is_fifo,
            first_received_at=one.first_received_at,
        )
    remove(connection, asked.queue_id, [one.id for one in dying])
    change_depth(connection, where.queue_id, len(dying))
    rows.insert()


def _groups(candidates: Sequence[_Candidate]) -> set[str]:
    return {one.message.group_id for one in candidates if one.message.group_id is not None}


def move(connection: Connection, asked: Receive, places: Mapping[str | None, Place]) -> Moved:
    """What `receive` would find goes on as new messages, whose time begins anew."""
    found = _fifo(connection, asked) if asked.is_fifo else _standard(connection, asked)
    rows = NewRows(connection, len(found))
    moving: list[_Candidate] = []
    arrivals: Counter[int] = Counter()
    for one in found:
        place = places.get(one.message.dead_letter_source_arn) or places.get(None)
        if place is None:
            continue
        message = replace(
            one.message,
            message_id=new_uuid(),
            sent_at=asked.now,
            dead_letter_source_arn=None,
            earlier_receive_count=0,
        )
        rows.add(rows.take_id(), place.queue_id, message, asked.now, is_fifo=place.is_fifo)
        arrivals[place.queue_id] += 1
        moving.append(one)
    remove(connection, asked.queue_id, [one.id for one in moving])
    for queue_id, count in arrivals.items():
        change_depth(connection, queue_id, count)
    rows.insert()
    if asked.is_fifo:
        settle_groups(connection, asked.queue_id, _groups(moving))
    return Moved(count=len(moving), homeless=len(found) - len(moving))
