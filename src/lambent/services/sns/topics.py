"""All topics and subscriptions, held in memory: publishing looks them up, and changes are few."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from lambent.base.clock import Clock
from lambent.model.caller import Caller
from lambent.model.resource_policy import ResourcePolicy
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.arns import require_subscription_arn, require_topic_arn
from lambent.services.sns.errors import InvalidState, NotFound
from lambent.services.sns.replay_policy import new_replay
from lambent.services.sns.topic_attributes import policy_of
from lambent.store.ports.topics import TopicStore


class Topics:
    """What is changed is stored first, then seen. Changes come one after the other: each is made to what the one before
    left."""

    def __init__(self, store: TopicStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, dict[str, Subscription]] = {}
        """By topic, then by their own ARN, in the order in which they were made."""
        self.deleted_subscriptions: dict[str, int] = {}
        self.changing = asyncio.Lock()

    async def open(self) -> None:
        """Also again, when another node has changed some."""
        async with self.changing:
            topics = {topic.arn: topic for topic in await self._store.topics()}
            subscriptions: dict[str, dict[str, Subscription]] = {}
            for subscription in await self._store.subscriptions():
                subscriptions.setdefault(subscription.topic_arn, {})[subscription.arn] = subscription
            self._topics, self._subscriptions = topics, subscriptions

    def now(self) -> int:
        """Milliseconds."""
        return int(self._clock.now() * 1000)

    def __iter__(self) -> Iterator[Topic]:
        return iter(list(self._topics.values()))

    def find(self, arn: str) -> Topic | None:
        return self._topics.get(arn)

    def get(self, arn: str, caller: Caller, parameter: str = "TopicArn") -> Topic:
        """Raises InvalidParameter, NotFound."""
        topic = self._topics.get(require_topic_arn(arn, caller, parameter))
        if topic is None:
            raise NotFound("Topic does not exist")
        return topic

    def subscriptions(self, topic_arn: str) -> Sequence[Subscription]:
        return list(self._subscriptions.get(topic_arn, {}).values())

    def all_subscriptions(self) -> Iterator[Subscription]:
        for of_topic in list(self._subscriptions.values()):
            yield from list(of_topic.values())

    def find_subscription(self, arn: str) -> Subscription | None:
        return self._subscriptions.get(arn.rpartition(":")[0], {}).get(arn)

    def subscription(self, arn: str) -> Subscription:
        """Raises InvalidParameter, NotFound."""
        found = self.find_subscription(require_subscription_arn(arn))
        if found is None:
            raise NotFound("Subscription does not exist")
        return found

    async def put(self, topic: Topic) -> None:
        """While `changing` is held by the caller."""
        await self._store.put_topic(topic)
        self._topics[topic.arn] = topic

    async def change(self, topic: Topic, edit: Callable[[Topic], Topic]) -> None:
        """`edit` is given what is stored by then. Raises NotFound, and what `edit` raises."""
        async with self.changing:
            current = self._topics.get(topic.arn)
            if current is None:
                raise NotFound("Topic does not exist")
            changed = edit(current)
            if changed != current:
                await self.put(changed)

    async def delete(self, arn: str) -> None:
        """Raises InvalidState while it has an archive."""
        async with self.changing:
            topic = self._topics.get(arn)
            if topic is not None and topic.archived_since is not None:
                raise InvalidState("Invalid state: Cannot delete a topic with an ArchivePolicy")
            await self._store.delete_topic(arn)
            self._topics.pop(arn, None)
            self._subscriptions.pop(arn, None)
            self.deleted_subscriptions.pop(arn, None)

    async def put_subscription(self, subscription: Subscription, *, starts_replay: bool = False) -> None:
        """While `changing` is held by the caller."""
        replay = new_replay(subscription) if starts_replay else None
        await self._store.put_subscription(subscription, replay=replay)
        self._subscriptions.setdefault(subscription.topic_arn, {})[subscription.arn] = subscription

    async def change_subscription(
        self,
        subscription: Subscription,
        edit: Callable[[Subscription], Subscription],
        *,
        starts_replay: bool = False,
    ) -> Subscription:
        """Raises NotFound, and what `edit` raises."""
        async with self.changing:
            current = self.find_subscription(subscription.arn)
            if current is None:
                raise NotFound("Subscription does not exist")
            changed = edit(current)
            if changed != current or starts_replay:
                await self.put_subscription(changed, starts_replay=starts_replay)
            return changed

    async def delete_subscription(self, subscription: Subscription) -> None:
        async with self.changing:
            await self._store.delete_subscription(subscription.arn)
            if self._subscriptions.get(subscription.topic_arn, {}).pop(subscription.arn, None) is not None:
                counted = self.deleted_subscriptions.get(subscription.topic_arn, 0)
                self.deleted_subscriptions[subscription.topic_arn] = counted + 1

    async def policy(self, arn: str) -> ResourcePolicy | None:
        topic = self._topics.get(arn)
        return (
            None if topic is None else ResourcePolicy(account_id=topic.account_id, document=policy_of(topic))
        )
