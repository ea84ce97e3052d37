"""Replays archived messages to subscriptions, also those replays that were under way when the server ended.

A batch is handed to delivery in the transaction that stores how far the replay has come: after a crash it goes on
behind it. The next batch waits for the one before, so that a subscriber that is slow fills no disk.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from lambent.base.tasks import Tasks
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.topic import Subscription, Topic
from lambent.model.topic_archive import ArchivedMessage, Replay
from lambent.services.sns.archive_policy import beginning_archive_time, message_of
from lambent.services.sns.deliveries import Deliveries
from lambent.services.sns.encryption import PayloadEncryption, sealed
from lambent.services.sns.filter_policy import wants
from lambent.services.sns.topics import Topics
from lambent.store.ports.errors import StoreError
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.store.ports.topic_archives import TopicArchiveStore

log = logging.getLogger(__name__)

_BATCH = 100
_LOOK_SECONDS = 0.1
_LOOK_SECONDS_MOST = 5.0
_ENDING_MS = 1000
"""After its ending point, for what was published just before it to be stored."""


class Replayer:
    def __init__(
        self,
        topics: Topics,
        archives: TopicArchiveStore,
        outgoing: TargetDeliveryStore,
        deliveries: Deliveries,
        encryption: PayloadEncryption,
        delivering: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`delivering` is called when there is something to deliver."""
        self._topics = topics
        self._archives = archives
        self._outgoing = outgoing
        self._deliveries = deliveries
        self._encryption = encryption
        self._delivering = delivering
        self._sleep = sleep
        self._wake = asyncio.Event()
        self._running: set[str] = set()

    def wake(self) -> None:
        """A replay was started."""
        self._wake.set()

    async def run(self) -> None:
        running = Tasks("replays of topics")
        try:
            while True:
                self._wake.clear()
                try:
                    for one in await self._archives.replays():
                        if one.id not in self._running:
                            self._running.add(one.id)
                            running.start(self._carry_out(one), one.subscription_arn)
                except StoreError:
                    log.exception("replays of topics cannot be read; next try in %.0f s", _LOOK_SECONDS_MOST)
                    await self._sleep(_LOOK_SECONDS_MOST)
                    continue
                await self._wake.wait()
        finally:
            await running.close()

    async def _carry_out(self, replay: Replay) -> None:
        try:
            await self.carry_out(replay)
        finally:
            self._running.discard(replay.id)

    async def carry_out(self, replay: Replay) -> None:
        """Until it is over, or another has taken its place."""
        idle = 0
        going_on: Replay | None = replay
        while going_on is not None and not going_on.is_over:
            try:
                advanced = await self._advance(going_on)
            except StoreError:
                log.exception("the replay for %s cannot go on", replay.subscription_arn)
                advanced = going_on
            idle = idle + 1 if advanced == going_on else 0
            if idle:
                await self._sleep(min(_LOOK_SECONDS * idle, _LOOK_SECONDS_MOST))
            going_on = advanced

    async def _advance(self, replay: Replay) -> Replay | None:
        """The replay after the next step; the same where it has to wait, None where it is no longer wanted."""
        topic = self._topics.find(replay.topic_arn)
        subscription = self._topics.find_subscription(replay.subscription_arn)
        if topic is None or subscription is None:
            return await self._as_stored(replay)
        oldest = beginning_archive_time(topic, self._topics.now())
        if oldest is None:
            return await self._stored(replace(replay, status="Failed", lines=()), [], replay)
        if replay.status == "Pending":
            return await self._stored(replace(replay, status="In progress"), [], replay)
        return await self._next_batch(topic, subscription, replay, oldest)

    async def _next_batch(
        self, topic: Topic, subscription: Subscription, replay: Replay, oldest: int
    ) -> Replay | None:
        if await self._outgoing.busy_lines("sns", replay.lines):
            return replay
        page = await self._archives.page(replay, oldest=oldest, limit=_BATCH)
        if page:
            return await self._replayed(topic, subscription, replay, page)
        if replay.ending_at is not None and self._topics.now() <= replay.ending_at + _ENDING_MS:
            return replay
        finished = replace(replay, status="Completed", lines=())
        if await self._archives.finish(finished, previous=replay):
            return None
        return await self._as_stored(replay)

    async def _replayed(
        self, topic: Topic, subscription: Subscription, replay: Replay, page: Sequence[ArchivedMessage]
    ) -> Replay | None:
        try:
            made = [
                delivery for one in page for delivery in await self._again(topic, subscription, replay, one)
            ]
        except ServiceException as error:
            log.warning("the replay for %s failed: %s", subscription.arn, error)
            return await self._stored(replace(replay, status="Failed", lines=()), [], replay)
        lines = {delivery.line for delivery in made if delivery.line is not None}
        last = page[-1]
        advanced = replace(
            replay, after_at=last.archived_at, after_number=last.number, lines=tuple(sorted(lines))
        )
        stored = await self._stored(advanced, made, replay)
        self._delivering()
        return stored

    async def _again(
        self, topic: Topic, subscription: Subscription, replay: Replay, archived: ArchivedMessage
    ) -> list[Delivery]:
        """One, or none where the filter of today does not want it. Raises what KMS raises."""
        document, key = await self._encryption.opened_text(topic, archived.document, archived.data_key)
        message = message_of(document)
        if not wants(subscription, message.body_for(subscription.protocol), message.attributes):
            return []
        delivery = self._deliveries.notification(topic, subscription, message, replay_id=replay.id)
        due_at = self._topics.now() / 1000
        return list(sealed(key, [replace(delivery, accepted_at=due_at, due_at=due_at)]))

    async def _stored(self, advanced: Replay, deliveries: list[Delivery], previous: Replay) -> Replay | None:
        if await self._archives.advance(advanced, deliveries, previous=previous):
            return advanced
        return await self._as_stored(previous)

    async def _as_stored(self, replay: Replay) -> Replay | None:
        """It may have come further than we know of: a commit may have been made that nobody told of. None where it is
        gone, or another has taken its place."""
        stored = await self._archives.replay(replay.subscription_arn)
        return stored if stored is not None and stored.id == replay.id else None
