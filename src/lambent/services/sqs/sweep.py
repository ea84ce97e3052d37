"""What goes on behind the operations: messages expire, what was purged is deleted, queues are measured."""

import asyncio
import logging

from lambent.base.clock import Clock, Jumps
from lambent.model.deduplication import DeduplicationWindow
from lambent.model.metric import Metrics
from lambent.services.sqs import attributes
from lambent.services.sqs.metrics import count
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.waiters import Waiters
from lambent.store.ports.errors import StoreError
from lambent.store.ports.queue_messages import QueueMessageStore
from lambent.store.ports.queues import QueueStore

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 60
_LOOK_SECONDS = 5
_BATCH = 500
"""Messages deleted in one transaction: others write meanwhile."""


class Sweep:
    def __init__(
        self,
        queues: Queues,
        store: QueueStore,
        messages: QueueMessageStore,
        metrics: Metrics,
        waiters: Waiters,
        clock: Clock,
    ) -> None:
        self._queues = queues
        self._waiters = waiters
        self._jumps = Jumps(clock)
        self._window = DeduplicationWindow(clock)
        self._set_back = True
        """Or it may have been, while nobody looked."""
        self._store = store
        self._messages = messages
        self._metrics = metrics

    async def run(self) -> None:
        rounds = 0
        while True:
            try:
                await self.follow_clock()
                if rounds % (_SWEEP_SECONDS // _LOOK_SECONDS) == 0:
                    await self.sweep()
                    await self.measure()
            except StoreError:
                log.exception("expired messages were not deleted; next attempt in a minute")
            rounds += 1
            await asyncio.sleep(_LOOK_SECONDS)

    async def follow_clock(self) -> None:
        """Where the clock was set back, what is hidden until a time of before would be so for too long."""
        self._set_back = self._jumps.look() < 0 or self._set_back
        if not self._set_back:
            return
        for queue in self._queues:
            if brought := await self._messages.bring_back(queue.id, now=self._queues.now()):
                log.warning("%d messages of %s were hidden until a time of before", brought, queue.name)
        self._set_back = False
        self._waiters.wake_each()

    async def sweep(self) -> None:
        now = self._queues.now()
        while await self._store.sweep_discarded(_BATCH):
            pass
        await self._messages.sweep_deduplication(now=self._window.now(), latest=self._window.latest())
        for queue in self._queues:
            retention = attributes.number(queue, "MessageRetentionPeriod")
            # No message goes earlier because the clock was set forward meanwhile.
            kept = retention + self._jumps.forward_within(retention)
            expired_at = now - int(kept * 1000)
            while await self._messages.expire(queue.id, expired_at=expired_at, limit=_BATCH) == _BATCH:
                pass

    async def measure(self) -> None:
        """Of queues that have messages."""
        for queue in self._queues:
            now = self._queues.now()
            depth = await self._messages.depth(queue.id, now=now)
            oldest = await self._messages.oldest_sent_at(queue.id)
            if oldest is None:
                continue
            count(self._metrics, queue, "ApproximateNumberOfMessagesVisible", depth.visible)
            count(self._metrics, queue, "ApproximateNumberOfMessagesNotVisible", depth.in_flight)
            count(self._metrics, queue, "ApproximateNumberOfMessagesDelayed", depth.delayed)
            age = (now - oldest) / 1000
            count(self._metrics, queue, "ApproximateAgeOfOldestMessage", age, unit="Seconds")
