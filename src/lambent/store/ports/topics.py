"""SNS topics, their subscriptions, and what is published to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.model.delivery import Delivery
from lambent.model.topic import Subscription, Topic
from lambent.model.topic_archive import ArchivedMessage, Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A message and what is to be delivered of it. `deduplication_scope` is within what its deduplication id is unique:
    the topic ("") or a message group; None on a standard topic. Where it is `archived`, it is not delivered to those
    whose replay is still on its way to it: their deliveries' target bears their "Arn"."""

    topic_arn: str
    message_id: str
    deliveries: Sequence[Delivery]
    sequence_number: int = 0
    deduplication_scope: str | None = None
    deduplication_id: str = ""
    archived: ArchivedMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A duplicate has what the first one has, and is not delivered again."""

    message_id: str
    sequence_number: int
    duplicate: bool = False


class TopicStore(Protocol):
    """There is one writer, the SNS service, which holds topics and subscriptions in memory; the store is what survives
    it."""

    async def topics(self) -> Sequence[Topic]: ...

    async def subscriptions(self) -> Sequence[Subscription]:
        """In the order in which they were made."""
        ...

    async def put_topic(self, topic: Topic) -> None: ...

    async def delete_topic(self, arn: str) -> None:
        """With its subscriptions. One that is not there is deleted already."""
        ...

    async def put_subscription(self, subscription: Subscription, *, replay: Replay | None = None) -> None:
        """With the replay that it starts, instead of one before. Without a ReplayPolicy it has none."""
        ...

    async def delete_subscription(self, arn: str) -> None: ...

    async def publish(
        self, publications: Sequence[Publication], *, now: int, duplicates_until: int
    ) -> Sequence[Published]:
        """All or none, with their deliveries; concurrent callers share one commit. Times are milliseconds."""
        ...

    async def sweep_deduplication(self, *, now: int, latest: int) -> None:
        """Forgets the deduplication ids whose time is over. None is known for longer than until `latest`."""
        ...
