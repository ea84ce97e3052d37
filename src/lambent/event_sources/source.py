"""The port of event sources: a queue, a shard of a stream, a partition of a topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record, as its function is given it and as its source knows it."""

    id: str
    """What a partial batch response calls it (`itemIdentifier`)."""
    payload: Mapping[str, Any]
    """The record in the function's event."""
    text: bytes
    """The same, encoded: what counts towards the 6 MB of an event."""
    data: str = ""
    """What the producer wrote, which filters may look into: a queue's body, a stream's decoded data."""
    group: str | None = None
    """Records of one group are delivered in order: a message group, a partition key. None where order means nothing."""
    handle: str
    """What the source needs to settle it."""
    trace_header: str | None = None


class EventSource(Protocol):
    """One lane of records for one mapping: what has one order (a shard, a partition), or none (a queue).

    Who uses it calls `poll` from one task, and the others whenever they like. What happens at the edges:

    - Nobody else decides what is lost: a record that `poll` returned and that is never settled comes again, by itself
      or to the next reader, also after `kill -9` of either side. So records are delivered at least once.
    - Every method raises ServiceException as the source says no (a deleted queue, a role that lost its permission), or
      StoreError where this host fails. Neither changes what is delivered: the caller waits, and calls again.
    - A call that is cancelled has done nothing or what it was to do; a poll that is cancelled after it took records
      leaves them as if they had been delivered and failed.
    """

    data_member: str
    """The name under which filters look into `Record.data`: "body", "data", "value"."""
    poll_most: int
    """How many records one poll may return."""
    ordered: bool
    """Whether records have groups. Then the next batch is not polled ahead of room for it: what was polled and waits
    here would come behind what the source delivers meanwhile."""

    async def hold_seconds(self) -> float:
        """For how long a polled record is nobody else's: a queue's visibility timeout, infinity for a stream."""
        ...

    async def poll(self, *, most: int, wait_seconds: float) -> Sequence[Record]:
        """Up to `most` records, at once if there are any; else waits, without work, up to `wait_seconds` for the first.

        Of one group in order, and none of a group that has unsettled records; nothing at all is an empty answer."""
        ...

    async def settle(self, records: Sequence[Record]) -> None:
        """These are done with and do not come again: deleted from a queue, behind the checkpoint of a stream. Durable
        when it returns. Settling a record twice, or one that has come again meanwhile, does nothing."""
        ...

    async def give_back(self, records: Sequence[Record]) -> None:
        """These were polled and not tried: they may come again at once, in their order."""
        ...

    async def give_up(self, records: Sequence[Record]) -> None:
        """No function may have these: they go where the source puts what it gives up, or away where it has no such
        place. They may come again until they are there."""
        ...

    def event(self, batch: Sequence[Record]) -> bytes:
        """The payload of one invocation with these records, in the source's own form."""
        ...
