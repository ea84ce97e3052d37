"""Messages in SQS queues. Moments are milliseconds since the Unix epoch, and the caller's: a store has no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import msgspec

from lambent.model.queue import QueueDepth, QueueMessage, ReceivedMessage


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """`id` orders the messages of a queue. A duplicate has the first one's, and is not sent again."""

    id: int
    message_id: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """Where a message goes that was received `max_receive_count` times. `source_arn` is the queue that it leaves."""

    queue_id: int
    is_fifo: bool
    max_receive_count: int
    source_arn: str


class Receive(msgspec.Struct, frozen=True, kw_only=True):
    """`hidden_until` is when what is received may be received again; what was sent at `expired_at` or before is deleted
    instead of received."""

    queue_id: int
    is_fifo: bool
    limit: int
    now: int
    hidden_until: int
    expired_at: int
    dead_letters: DeadLetters | None = None


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """`next_due` is when another message may become visible, where none was received; None: nothing is waiting.
    `dead` is how many went to the dead-letter queue."""

    messages: Sequence[ReceivedMessage] = ()
    next_due: int | None = None
    dead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A queue that messages are moved to."""

    queue_id: int
    is_fifo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many were moved; `homeless` are those that nobody said a place for: they stay. All zero: none is visible."""

    count: int = 0
    homeless: int = 0


class Held(Enum):
    """What a receipt is worth when it is used."""

    CURRENT = "the message's last receipt"
    SUPERSEDED = "the message was received again since, or on a FIFO queue its visibility timeout is over"
    GONE = "there is no such message (any more)"


Receipt = tuple[int, int]
"""A ReceivedMessage's `id` and `receive_count`."""


class QueueMessageStore(Protocol):
    """A queue that was emptied or deleted meanwhile: NotFoundError from `send`; to the others it is empty."""

    async def send(
        self,
        queue_id: int,
        messages: Sequence[tuple[QueueMessage, int]],
        *,
        now: int,
        is_fifo: bool,
        duplicates_until: int,
    ) -> Sequence[Sent]:
        """All or none; each with the moment from which it may be received. A deduplication id is remembered until
        `duplicates_until`."""
        ...

    async def receive(self, receive: Receive) -> Received:
        """On a standard queue, the messages that have been visible the longest. On a FIFO queue, messages of groups
        that have none in flight, in the order of sending."""
        ...

    async def delete(
        self, queue_id: int, receipts: Sequence[Receipt], *, now: int, is_fifo: bool
    ) -> Sequence[Held]:
        """Deletes what is held by its last receipt."""
        ...

    async def change_visibility(
        self, queue_id: int, changes: Sequence[tuple[Receipt, int, int]], *, now: int, is_fifo: bool
    ) -> Sequence[Held | int]:
        """Of (receipt, new hidden_until, longest time since its receipt): the moment of receipt instead where the
        change would exceed the longest time. On a standard queue an earlier receipt does as well, as AWS was seen to
        have it."""
        ...

    async def move(
        self,
        queue_id: int,
        places: Mapping[str | None, Place],
        *,
        now: int,
        limit: int,
        is_fifo: bool,
    ) -> Moved:
        """Of the visible messages, as new ones, each to the place of the queue that it died in, else to that of None.
        Raises NotFoundError where a place is gone, and then moves none."""
        ...

    async def depth(self, queue_id: int, *, now: int) -> QueueDepth:
        """Costs by the number of messages in flight and delayed, not by how many wait."""
        ...

    async def expire(self, queue_id: int, *, expired_at: int, limit: int) -> int:
        """Deletes what was sent at `expired_at` or before and waits since then; how many."""
        ...

    async def bring_back(self, queue_id: int, *, now: int) -> int:
        """What was sent or received last at a time that is yet to come, because the clock was set back: it is hidden
        for as long from `now` as it was from then. How many."""
        ...

    async def oldest_sent_at(self, queue_id: int) -> int | None:
        """For ApproximateAgeOfOldestMessage."""
        ...

    async def sweep_deduplication(self, *, now: int, latest: int) -> None:
        """Forgets the deduplication ids whose time is over. None is known for longer than until `latest`."""
        ...
