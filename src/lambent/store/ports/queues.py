"""SQS queues, without what is in them."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.queue import Queue


class QueueStore(Protocol):
    """There is one writer, the SQS service, which holds all queues in memory; the store is what survives it."""

    async def all(self) -> Sequence[Queue]: ...

    async def insert(self, queue: Queue) -> Queue:
        """With its new id. Raises AlreadyExistsError."""
        ...

    async def replace(self, queue: Queue) -> None:
        """Raises NotFoundError."""
        ...

    async def empty(self, queue: Queue) -> Queue:
        """The queue under a new id, and so without messages; what was in it is discarded. Raises NotFoundError."""
        ...

    async def delete(self, queue: Queue) -> None:
        """Raises NotFoundError. Its messages are discarded."""
        ...

    async def sweep_discarded(self, limit: int) -> bool:
        """Deletes so many messages of emptied or deleted queues at most. False when none is left."""
        ...
