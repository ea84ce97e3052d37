"""What functions were promised, from the store to the data plane: reserved concurrency.

The control plane writes the store and then says which function changed; everything that changes a function says so,
too, as what was promised goes with it.
"""

import asyncio

from lambent.base.tasks import Tasks
from lambent.invoke.concurrency import Concurrency
from lambent.model.function import FunctionId
from lambent.store.ports.concurrency import ConcurrencyStore


class Allotments:
    """services.lambda_.ports.Allotments."""

    def __init__(self, store: ConcurrencyStore, concurrency: Concurrency) -> None:
        self._store = store
        self._concurrency = concurrency
        self._promised: set[FunctionId] = set()
        self._refreshing = asyncio.Lock()
        self._tasks = Tasks("allotments")

    async def open(self) -> None:
        reserved = await self._store.all_reserved()
        provisioned = await self._store.all_provisioned()
        for function in {*reserved, *(config.function for config in provisioned)}:
            await self.refresh(function)

    async def close(self) -> None:
        await self._tasks.close()

    def function_changed(self, function: FunctionId) -> None:
        if function in self._promised:
            self._tasks.start(self.refresh(function), f"refresh {function.name}")

    async def refresh(self, function: FunctionId) -> None:
        async with self._refreshing:  # who reads later must also write later
            reserved = await self._store.reserved(function)
            provisioned = await self._store.provisioned(function)
            self._concurrency.allot(function, reserved, sum(config.requested for config in provisioned))
            if reserved is None and not provisioned:
                self._promised.discard(function)
            else:
                self._promised.add(function)
