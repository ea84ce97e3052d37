"""How much waits in the queues on disk, which all nodes have together."""

from collections.abc import Mapping
from typing import get_args

from lambent.model.delivery import DeliveryQueue
from lambent.store.ports.event_invocations import EventInvocationStore
from lambent.store.ports.target_deliveries import TargetDeliveryStore


class QueueDepths:
    def __init__(self, events: EventInvocationStore, deliveries: TargetDeliveryStore) -> None:
        self._events = events
        self._deliveries = deliveries

    async def read(self) -> Mapping[str, int]:
        """By the name of the queue. Raises StoreError."""
        depths = {"event invocations": await self._events.depth()}
        for queue in get_args(DeliveryQueue):
            depths[f"deliveries of {queue}"] = await self._deliveries.depth(queue)
        return depths
