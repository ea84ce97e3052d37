"""SNS topics, subscriptions and publications."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lambent.model.topic import Subscription, Topic
from lambent.model.topic_archive import Replay
from lambent.store.ports.topics import Publication, Published
from lambent.store.records import Record
from lambent.store.sql import target_deliveries, topic_archives
from lambent.store.sql.changes import note
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("topics")
_TOPIC = Record(Topic)
_SUBSCRIPTION = Record(Subscription)


@dataclass(slots=True, kw_only=True)
class _Publishing:
    """A run that was undone is repeated, and sets the result again."""

    publications: Sequence[Publication]
    now: int
    duplicates_until: int
    published: Sequence[Published] = ()


class SqlTopicStore:
    """Implements lambent.store.ports.topics.TopicStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def topics(self) -> Sequence[Topic]:
        return await self._database.read(
            lambda connection: [_TOPIC.decode(text) for (text,) in connection.execute(_SQL["topics"])]
        )

    async def subscriptions(self) -> Sequence[Subscription]:
        return await self._database.read(
            lambda connection: [
                _SUBSCRIPTION.decode(text) for (text,) in connection.execute(_SQL["subscriptions"])
            ]
        )

    async def put_topic(self, topic: Topic) -> None:
        row = {"arn": topic.arn, "document": _TOPIC.encode(topic)}
        await self._write(lambda connection: connection.execute(_SQL["put_topic"], row))

    async def delete_topic(self, arn: str) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_SQL["delete_topic"], {"arn": arn})
            connection.execute(_SQL["delete_subscriptions"], {"arn": arn})
            topic_archives.delete_replays(connection, arn)

        await self._write(work)

    async def put_subscription(self, subscription: Subscription, *, replay: Replay | None = None) -> None:
        row = {
            "arn": subscription.arn,
            "topic_arn": subscription.topic_arn,
            "document": _SUBSCRIPTION.encode(subscription),
        }

        def work(connection: Connection) -> None:
            connection.execute(_SQL["put_subscription"], row)
            if replay is not None:
                topic_archives.put_replay(connection, replay)
            elif "ReplayPolicy" not in subscription.attributes:
                topic_archives.delete_replay(connection, subscription.arn)

        await self._write(work)

    async def delete_subscription(self, arn: str) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_SQL["delete_subscription"], {"arn": arn})
            topic_archives.delete_replay(connection, arn)

        await self._write(work)

    async def _write(self, change: Callable[[Connection], object]) -> None:
        def work(connection: Connection) -> None:
            change(connection)
            note(connection, "topics")

        await self._database.write(work)

    async def publish(
        self, publications: Sequence[Publication], *, now: int, duplicates_until: int
    ) -> Sequence[Published]:
        publishing = _Publishing(publications=publications, now=now, duplicates_until=duplicates_until)
        await self._database.write_together(_publish_all, publishing)
        return publishing.published

    async def sweep_deduplication(self, *, now: int, latest: int) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_SQL["forget"], {"now": now})
            connection.execute(_SQL["forget_sooner"], {"latest": latest})

        await self._database.write(work)


def _publish_all(connection: Connection, items: Sequence[_Publishing]) -> None:
    for item in items:
        item.published = [_publish(connection, item, one) for one in item.publications]


def _publish(connection: Connection, item: _Publishing, one: Publication) -> Published:
    if one.deduplication_scope is not None:
        row = {
            "topic_arn": one.topic_arn,
            "scope": one.deduplication_scope,
            "deduplication_id": one.deduplication_id,
            "message_id": one.message_id,
            "sequence_number": str(one.sequence_number),  # beyond the integers of the engines
            "now": item.now,
            "until": item.duplicates_until,
        }
        if connection.execute(_SQL["remember"], row).rowcount == 0:
            message_id, sequence_number = connection.execute(_SQL["duplicate"], row).fetchone()
            return Published(message_id=message_id, sequence_number=int(sequence_number), duplicate=True)
    deliveries = one.deliveries
    if one.archived is not None:
        held = topic_archives.archive(connection, one.archived)
        deliveries = [delivery for delivery in deliveries if delivery.target["Arn"] not in held]
    target_deliveries.insert(connection, deliveries)
    return Published(message_id=one.message_id, sequence_number=one.sequence_number)
