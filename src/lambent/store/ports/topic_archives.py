"""The archives of FIFO topics, and how far replays of them have come."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.delivery import Delivery
from lambent.model.topic_archive import ArchivedMessage, Replay


class TopicArchiveStore(Protocol):
    """Messages come in by TopicStore.publish, replays by TopicStore.put_subscription: both are there with what they
    belong to, or not at all."""

    async def replays(self) -> Sequence[Replay]:
        """Those that are not over."""
        ...

    async def replay(self, subscription_arn: str) -> Replay | None:
        """The last one that the subscription has started."""
        ...

    async def page(self, replay: Replay, *, oldest: int, limit: int) -> Sequence[ArchivedMessage]:
        """The next messages of a replay, in the order in which they were published; none from before `oldest`."""
        ...

    async def advance(self, replay: Replay, deliveries: Sequence[Delivery], *, previous: Replay) -> bool:
        """Stores how far it has come, with what is to be delivered; False, and nothing, where another has taken the
        place of `previous`."""
        ...

    async def finish(self, replay: Replay, *, previous: Replay) -> bool:
        """As `advance`, but also False where there is a message left for it: none falls between the last one that is
        replayed and the first one that is delivered as it is published."""
        ...

    async def sweep(self, topic_arn: str, *, oldest: int, limit: int) -> int:
        """Deletes messages of before. Returns how many; `limit` at most."""
        ...

    async def topic_after(self, topic_arn: str) -> str | None:
        """The next topic by ARN of which there are messages, also of one that is deleted."""
        ...
