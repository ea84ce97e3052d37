"""Events as they travel: their members in AWS's order, and their text.

Source: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson

from lambent.base.ids import new_uuid

Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """`text` is the JSON of `members`. `buses` are the ARNs of those that it came by, to pass none twice."""

    members: Members
    text: bytes
    buses: tuple[str, ...] = ()
    trace: str | None = None
    """The X-Ray trace header that it came with."""

    @property
    def id(self) -> str:
        return str(self.members["id"])

    @property
    def time(self) -> float:
        """Epoch seconds."""
        return datetime.fromisoformat(self.members["time"]).timestamp()


def new_event(
    *,
    source: str,
    detail_type: str,
    detail: Members,
    account_id: str,
    region: str,
    time: float,
    resources: Sequence[str] = (),
    trace: str | None = None,
) -> Event:
    members: Members = {
        "version": "0",
        "id": new_uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": account_id,
        "time": time_text(time),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }
    return Event(members, orjson.dumps(members), trace=trace)


def event_of(text: bytes, buses: tuple[str, ...] = (), trace: str | None = None) -> Event:
    """Of an event that was one before."""
    return Event(orjson.loads(text), text, buses, trace)


def in_region(event: Event, region: str) -> Event:
    """As it goes on to a bus of another region: with another id, the same at every try."""
    members = {**event.members, "id": str(uuid5(NAMESPACE_OID, f"{event.id} {region}"))}
    return Event(members, orjson.dumps(members), event.buses, event.trace)


def replayed(text: bytes, replay: str) -> Event:
    """An archived event, as a replay sends it again."""
    members: Members = {}
    for name, value in orjson.loads(text).items():
        members[name] = value
        if name == "region":
            members["replay-name"] = replay
    return Event(members, orjson.dumps(members))


def time_text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
