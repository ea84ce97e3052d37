"""How many messages of a queue may be in flight."""

from dataclasses import dataclass

from lambent.model.queue import Queue
from lambent.services.sqs.errors import OverLimit
from lambent.store.ports.queue_messages import QueueMessageStore

_MOST = 120_000
"""Of either kind of queue.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""


@dataclass(slots=True)
class _Room:
    queue_id: int
    left: int


class InFlight:
    """Counts when the limit may have been reached: after a count, as many may be received as were missing to it."""

    def __init__(self, messages: QueueMessageStore) -> None:
        self._messages = messages
        self._rooms: dict[str, _Room] = {}

    async def admit(self, queue: Queue, limit: int, now: int) -> bool:
        """Whether up to `limit` more may be received. On a standard queue OverLimit is raised instead of False."""
        room = self._rooms.get(queue.arn)
        if room is None or room.queue_id != queue.id or room.left < limit:
            depth = await self._messages.depth(queue.id, now=now)
            room = self._rooms[queue.arn] = _Room(queue.id, _MOST - depth.in_flight)
        if room.left < limit:
            if queue.is_fifo:
                return False
            raise OverLimit("Too many messages in flight for the queue.")
        room.left -= limit
        return True
