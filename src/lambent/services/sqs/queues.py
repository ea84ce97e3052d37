"""All queues, held in memory: every operation looks one up, and changes are few."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.queue import Queue, QueueKey
from lambent.services.sqs.errors import QueueDoesNotExist
from lambent.services.sqs.queue_urls import parse_queue_url
from lambent.store.ports.queues import QueueStore


class Queues:
    """What is changed is stored first, then seen. Changes come one after the other: each is made to what the one before
    left."""

    def __init__(self, store: QueueStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._by_key: dict[QueueKey, Queue] = {}
        self.deleted_at: dict[QueueKey, int] = {}
        self.changing = asyncio.Lock()

    async def open(self) -> None:
        """Also again, when another node has changed some."""
        async with self.changing:
            self._by_key = {queue.key: queue for queue in await self._store.all()}

    def now(self) -> int:
        """Milliseconds."""
        return int(self._clock.now() * 1000)

    def __iter__(self) -> Iterator[Queue]:
        return iter(list(self._by_key.values()))

    def get(self, key: QueueKey) -> Queue | None:
        return self._by_key.get(key)

    def by_arn(self, arn: str) -> Queue | None:
        parts = arn.split(":")
        if len(parts) != 6 or parts[:3] != ["arn", partition_of(parts[3]), "sqs"]:
            return None
        return self._by_key.get((parts[4], parts[3], parts[5]))

    def of(self, caller: Caller, parameters: Parameters) -> Queue:
        """The queue of the request's QueueUrl. Raises QueueDoesNotExist, InvalidAddress."""
        queue = self._by_key.get(parse_queue_url(parameters["QueueUrl"], caller))
        if queue is None:
            raise QueueDoesNotExist
        return queue

    async def insert(self, queue: Queue) -> Queue:
        """While `changing` is held by the caller."""
        made = await self._store.insert(queue)
        self._by_key[made.key] = made
        self.deleted_at.pop(made.key, None)
        return made

    async def change(self, queue: Queue, edit: Callable[[Queue], Queue]) -> None:
        """`edit` is given what is stored by then. Raises QueueDoesNotExist, and what `edit` raises."""
        async with self.changing:
            current = self._current(queue)
            changed = edit(current)
            if changed != current:
                await self._store.replace(changed)
                self._by_key[queue.key] = changed

    async def empty(self, queue: Queue, check: Callable[[Queue], None]) -> None:
        """`check` may refuse, by raising."""
        async with self.changing:
            current = self._current(queue)
            check(current)
            self._by_key[queue.key] = await self._store.empty(replace(current, purged_at=self.now()))

    async def delete(self, queue: Queue) -> None:
        async with self.changing:
            await self._store.delete(self._current(queue))
            del self._by_key[queue.key]
            self.deleted_at[queue.key] = self.now()

    def _current(self, queue: Queue) -> Queue:
        current = self._by_key.get(queue.key)
        if current is None:
            raise QueueDoesNotExist
        return current
