"""Carries message move tasks out, also those that were running when the server ended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from lambent.base.tasks import Tasks
from lambent.model.queue import MessageMoveTask, Queue
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.waiters import Waiters
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.store.ports.queue_messages import Moved, Place, QueueMessageStore

_BATCH = 100
_TASKS_MOST = 10_000
_QUEUE_GONE = "AWS.SimpleQueueService.NonExistentQueue"
_NO_SOURCE = "CouldNotDetermineMessageSource"


class Mover:
    def __init__(
        self,
        queues: Queues,
        messages: QueueMessageStore,
        tasks: NamedRecords[MessageMoveTask],
        waiters: Waiters,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queues = queues
        self._messages = messages
        self._tasks = tasks
        self._waiters = waiters
        self._sleep = sleep
        self._wake = asyncio.Event()
        self._running: set[Name] = set()

    def wake(self) -> None:
        """A task was stored as running."""
        self._wake.set()

    async def run(self) -> None:
        running = Tasks("message move tasks")
        try:
            while True:
                self._wake.clear()
                # A running task is due; one that has ended is not.
                for due in await self._tasks.due(now=self._queues.now() / 1000, limit=_TASKS_MOST):
                    if due.name not in self._running:
                        self._running.add(due.name)
                        running.start(self._carry_out(due.name, due.value), due.name.name)
                await self._wake.wait()
        finally:
            await running.close()

    async def _carry_out(self, name: Name, task: MessageMoveTask) -> None:
        try:
            await self.carry_out(name, task)
        finally:
            self._running.discard(name)

    async def carry_out(self, name: Name, task: MessageMoveTask) -> None:
        limit = task.messages_per_second or _BATCH
        while task.status == "RUNNING":
            if task.messages_per_second is not None:
                await self._sleep(1.0)
                current = await self._tasks.get(name)
                if current is None or current.status != "RUNNING":
                    return
            advanced = await self._advance(task, limit)
            running = advanced.status == "RUNNING"
            try:
                await self._tasks.replace(name, advanced, previous=task, keeps_due=running)
            except (
                NotFoundError,
                StaleRevisionError,
            ):  # cancelled, or the queue's other tasks are more recent
                return
            task = advanced

    async def _advance(self, task: MessageMoveTask, limit: int) -> MessageMoveTask:
        """The task after another batch."""
        source = self._queues.by_arn(task.source_arn)
        destination = self._queues.by_arn(task.destination_arn) if task.destination_arn else None
        if source is None or (task.destination_arn and destination is None):
            return replace(task, status="FAILED", failure_reason=_QUEUE_GONE)
        places = self._places(source, destination)
        moved = await self._move(source, places, limit)
        if moved is None:
            return replace(task, status="FAILED", failure_reason=_QUEUE_GONE)
        for place in places.values():
            self._waiters.wake(place.queue_id, moved.count)
        task = replace(task, moved=task.moved + moved.count)
        if moved.count == 0:
            if moved.homeless:
                return replace(task, status="FAILED", failure_reason=_NO_SOURCE)
            return replace(task, status="COMPLETED")
        return task

    async def _move(self, source: Queue, places: Mapping[str | None, Place], limit: int) -> Moved | None:
        try:
            return await self._messages.move(
                source.id, places, now=self._queues.now(), limit=limit, is_fifo=source.is_fifo
            )
        except NotFoundError:
            return None

    def _places(self, source: Queue, destination: Queue | None) -> dict[str | None, Place]:
        if destination is not None:
            return {None: Place(queue_id=destination.id, is_fifo=destination.is_fifo)}
        return {
            queue.arn: Place(queue_id=queue.id, is_fifo=queue.is_fifo)
            for queue in self._queues
            if queue.key != source.key
            and (queue.account_id, queue.region, queue.is_fifo)
            == (source.account_id, source.region, source.is_fifo)
        }
