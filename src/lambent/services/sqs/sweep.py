"""What goes on behind the operations: messages expire, what was purged is deleted, queues are measured."""

import asyncio
import logging

from lambent.model.metric import Metrics
from lambent.services.sqs import attributes
from lambent.services.sqs.metrics import count
from lambent.services.sqs.queues import Queues
from lambent.store.ports.errors import StoreError
from lambent.store.ports.queue_messages import QueueMessageStore
from lambent.store.ports.queues import QueueStore

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 60.0
_BATCH = 500
"""Messages deleted in one transaction: others write meanwhile."""


class Sweep:
    def __init__(
        self, queues: Queues, store: QueueStore, messages: QueueMessageStore, metrics: Metrics
    ) -> None:
        self._queues = queues
        self._store = store
        self._messages = messages
        self._metrics = metrics

    async def run(self) -> None:
        while True:
            try:
                await self.sweep()
                await self.measure()
            except StoreError:
                log.exception("expired messages were not deleted; next attempt in a minute")
            await asyncio.sleep(_SWEEP_SECONDS)

    async def sweep(self) -> None:
        while await self._store.sweep_discarded(_BATCH):
            pass
        await self._messages.sweep_deduplication(now=self._queues.now())
        for queue in self._queues:
            retention = attributes.number(queue, "MessageRetentionPeriod")
            expired_at = self._queues.now() - retention * 1000
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
