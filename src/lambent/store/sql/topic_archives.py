"""Archives of FIFO topics, and replays of them."""

from collections.abc import Collection, Sequence
from typing import Any

from lambent.model.delivery import Delivery
from lambent.model.topic_archive import ArchivedMessage, Replay
from lambent.store.records import Record
from lambent.store.sql import target_deliveries
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("topic_archives")
_REPLAY = Record(Replay)
_NEVER = 2**62


class SqlTopicArchiveStore:
    """Implements lambent.store.ports.topic_archives.TopicArchiveStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def replays(self) -> Sequence[Replay]:
        return await self._database.read(
            lambda connection: [_REPLAY.decode(text) for (text,) in connection.execute(_SQL["replays"])]
        )

    async def replay(self, subscription_arn: str) -> Replay | None:
        row = {"subscription_arn": subscription_arn}
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["replay"], row).fetchone()
        )
        return None if found is None else _REPLAY.decode(found[0])

    async def page(self, replay: Replay, *, oldest: int, limit: int) -> Sequence[ArchivedMessage]:
        return await self._database.read(
            lambda connection: _page(connection, replay, oldest=oldest, limit=limit)
        )

    async def advance(self, replay: Replay, deliveries: Sequence[Delivery], *, previous: Replay) -> bool:
        def work(connection: Connection) -> bool:
            if not _advance(connection, replay, previous):
                return False
            target_deliveries.insert(connection, deliveries)
            return True

        return await self._database.write(work)

    async def finish(self, replay: Replay, *, previous: Replay) -> bool:
        def work(connection: Connection) -> bool:
            connection.execute(_SQL["lock_topic"], {"topic_arn": replay.topic_arn})
            if _page(connection, previous, oldest=0, limit=1):
                return False
            return _advance(connection, replay, previous)

        return await self._database.write(work)

    async def sweep(self, topic_arn: str, *, oldest: int, limit: int) -> int:
        row = {"topic_arn": topic_arn, "oldest": oldest, "limit": limit}
        return await self._database.write(lambda connection: connection.execute(_SQL["sweep"], row).rowcount)

    async def topic_after(self, topic_arn: str) -> str | None:
        row = {"topic_arn": topic_arn}
        (found,) = await self._database.read(
            lambda connection: connection.execute(_SQL["topic_after"], row).fetchone()
        )
        return None if found is None else str(found)


def archive(connection: Connection, message: ArchivedMessage) -> Collection[str]:
    """For who publishes it, in one transaction. Returns the subscriptions that are not to get it now."""
    row: dict[str, Any] = {"topic_arn": message.topic_arn}
    connection.execute(_SQL["lock_topic"], row)
    (latest,) = connection.execute(_SQL["latest"], row).fetchone()
    row |= {
        "archived_at": max(message.archived_at, latest or 0),  # also where the clock was set back
        "document": message.document,
        "data_key": message.data_key,
    }
    connection.execute(_SQL["archive"], row)
    return {arn for (arn,) in connection.execute(_SQL["held"], {"topic_arn": message.topic_arn})}


def put_replay(connection: Connection, replay: Replay) -> None:
    """For who stores its subscription in the same transaction."""
    connection.execute(_SQL["put_replay"], _row(replay))


def delete_replay(connection: Connection, subscription_arn: str) -> None:
    connection.execute(_SQL["delete_replay"], {"arn": subscription_arn})


def delete_replays(connection: Connection, topic_arn: str) -> None:
    connection.execute(_SQL["delete_replays"], {"arn": topic_arn})


def _page(connection: Connection, replay: Replay, *, oldest: int, limit: int) -> Sequence[ArchivedMessage]:
    row = {
        "topic_arn": replay.topic_arn,
        "after_at": replay.after_at,
        "after_number": replay.after_number,
        "oldest": oldest,
        "latest": _NEVER if replay.ending_at is None else replay.ending_at,
        "limit": limit,
    }
    return [
        ArchivedMessage(
            topic_arn=replay.topic_arn, archived_at=at, number=number, document=document, data_key=data_key
        )
        for at, number, document, data_key in connection.execute(_SQL["page"], row)
    ]


def _advance(connection: Connection, replay: Replay, previous: Replay) -> bool:
    row = {**_row(replay), "previous": _REPLAY.encode(previous)}
    return connection.execute(_SQL["advance"], row).rowcount > 0


def _row(replay: Replay) -> dict[str, Any]:
    return {
        "subscription_arn": replay.subscription_arn,
        "topic_arn": replay.topic_arn,
        "holds": int(replay.holds),
        "is_over": int(replay.is_over),
        "document": _REPLAY.encode(replay),
    }
