"""The slots of the queue of events, which are emptied as a whole.

In a queue every row dies. PostgreSQL keeps the dead until a vacuum has read table and indexes; meanwhile whoever looks
for the first of a line reads past all that were first before it, and while somebody has an old snapshot (a forgotten
transaction, a long report) no vacuum helps. So what is new goes to another slot as soon as many have died in this
one. The few events that are left in an old slot, because they are tried again later, follow; when it is empty it is
truncated, which costs the same however much was in it.

A slot that many still wait in stays as it is, and is vacuumed like any table.
"""

import json
from dataclasses import dataclass

from psycopg import errors

from lambent.store.postgres.connection import PostgresConnection
from lambent.store.sql.queries import queries

_SQL = queries("event_slots", __package__)

_DEAD_MOST = 30_000
"""So many rows die in a slot before it is left: two for each event that is claimed and completed, and its payload."""
_MOVED_MOST = 1_000
"""So many events are moved to the present slot at most. Where more are left, the slot has to wait."""
_SLOT = 1 << 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`dead` is about how many rows have died in it; `used` says that it has not just been truncated."""

    number: int
    current: bool
    dead: int
    used: bool


def rotate(connection: PostgresConnection, *, dead_most: int = _DEAD_MOST) -> None:
    """What can be done now. May be called by several at once, at any time. `connection` is in no transaction."""
    slots = [
        Slot(number=number, current=current, dead=dead, used=used)
        for number, current, dead, used in connection.execute(_SQL["state"])
    ]
    current = next(slot for slot in slots if slot.current)
    unused = [slot for slot in slots if not slot.used and not slot.current]
    if current.dead >= dead_most and unused:
        _switch(connection, unused[0])
        current = unused[0]
    for slot in slots:
        if slot.used and slot != current and slot.number != current.number:
            try:
                _empty(connection, slot, current)
            except (errors.LockNotAvailable, errors.SerializationFailure):
                continue  # it is in use: the next time


def _switch(connection: PostgresConnection, to: Slot) -> None:
    """Who has just read the old number appends there once more, which does no harm: every slot is read from."""
    with connection.raw.transaction():
        connection.execute(_SQL["forget_current"])
        connection.execute(_SQL["set_current"], {"slot": to.number})


def _empty(connection: PostgresConnection, slot: Slot, current: Slot) -> None:
    bounds = {"first": slot.number * _SLOT, "last": (slot.number + 1) * _SLOT}
    left, free = connection.execute(_SQL["left"], bounds | {"most": _MOVED_MOST + 1}).fetchone()
    if left > _MOVED_MOST:
        return
    if free:
        with connection.raw.transaction():
            ids = [id for (id,) in connection.execute(_SQL["leftover"], bounds)]
            row = {"ids": json.dumps(ids), "shift": (current.number - slot.number) * _SLOT}
            for statement in ("move_events", "move_payloads", "move_responses"):
                connection.execute(_SQL[statement], row)
    if free < left:
        return
    tables = {"events": f"event_invocations_{slot.number}", "payloads": f"event_payloads_{slot.number}"}
    with connection.raw.transaction():
        connection.execute(_SQL["be_impatient"])
        connection.execute(_SQL["lock"].format(**tables))
        (is_empty,) = connection.execute(_SQL["is_empty"], bounds).fetchone()
        if is_empty:
            connection.execute(_SQL["truncate"].format(**tables))
