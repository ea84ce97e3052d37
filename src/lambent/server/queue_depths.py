"""How much waits in the queues on disk, which all nodes have together, and since when it could have been done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from lambent.model.delivery import DeliveryQueue
from lambent.store.ports.event_invocations import EventInvocationStore
from lambent.store.ports.target_deliveries import TargetDeliveryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """`late_seconds` is how long what is due first has been due."""

    waiting: int
    late_seconds: float


class QueueDepths:
    def __init__(
        self, events: EventInvocationStore, deliveries: TargetDeliveryStore, now: Callable[[], float]
    ) -> None:
        self._events = events
        self._deliveries = deliveries
        self._now = now

    async def read(self) -> Mapping[str, QueueDepth]:
        """By the name of the queue. Raises StoreError."""
        first = min((await self._events.waiting()).values(), default=None)
        depths = {"event invocations": self._depth(await self._events.depth(), first)}
        for queue in get_args(DeliveryQueue):
            due_at = await self._deliveries.next_due(queue)
            depths[f"deliveries of {queue}"] = self._depth(await self._deliveries.depth(queue), due_at)
        return depths

    def _depth(self, waiting: int, due_at: float | None) -> QueueDepth:
        late = 0.0 if due_at is None else max(0.0, self._now() - due_at)
        return QueueDepth(waiting=waiting, late_seconds=round(late, 1))
