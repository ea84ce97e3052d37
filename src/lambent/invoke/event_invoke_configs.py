"""Event invoke configurations as the queue of events needs them: from memory.

Stands before the store as the one that the control plane writes through, and is told when a function changes, so that
an event of a function that did not change reads nothing from disk for it.
"""

from collections.abc import Sequence

from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import LATEST, FunctionId
from lambent.store.ports.event_invoke_configs import EventInvokeConfigStore


class KnownEventInvokeConfigs(EventInvokeConfigStore):
    """An EventInvokeConfigStore that remembers."""

    def __init__(self, store: EventInvokeConfigStore) -> None:
        self._store = store
        self._known: dict[FunctionId, dict[str, EventInvokeConfig]] = {}
        self._changes = 0

    async def of_invocation(self, id: FunctionId, qualifier: str | None) -> EventInvokeConfig | None:
        """What an event that was sent to this qualifier is handled by."""
        known = self._known.get(id)
        if known is None:
            changes = self._changes
            found = await self._store.page(id, after=None, limit=None)
            known = {config.qualifier: config for config in found}
            if changes == self._changes:  # nothing was written while we read
                self._known[id] = known
        return known.get(qualifier or LATEST)

    def forget(self, id: FunctionId) -> None:
        self._changes += 1
        self._known.pop(id, None)

    def forget_all(self) -> None:
        self._changes += 1
        self._known.clear()

    async def put(self, config: EventInvokeConfig) -> None:
        try:
            await self._store.put(config)
        finally:  # whatever became of the caller, the write may have been made
            self.forget(config.function)

    async def get(self, id: FunctionId, qualifier: str) -> EventInvokeConfig | None:
        return await self._store.get(id, qualifier)

    async def delete(self, id: FunctionId, qualifier: str) -> None:
        try:
            await self._store.delete(id, qualifier)
        finally:
            self.forget(id)

    async def page(
        self, id: FunctionId, *, after: str | None, limit: int | None
    ) -> Sequence[EventInvokeConfig]:
        return await self._store.page(id, after=after, limit=limit)
