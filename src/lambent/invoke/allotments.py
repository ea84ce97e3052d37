"""What functions were promised, from the store to the data plane: reserved and provisioned concurrency.

The control plane writes the store and then says which function changed; everything that changes a function says so,
too, as what was promised goes with it, and an alias takes its environments along to another version.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

from lambent.base.tasks import Tasks
from lambent.environments.pools import Pools
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Directory
from lambent.model.concurrency import ProvisionedConcurrency, ProvisionedStatus
from lambent.model.error import ServiceException
from lambent.model.function import FunctionId, FunctionVersion
from lambent.store.ports.concurrency import ConcurrencyStore

_Parts = dict[str, tuple[FunctionVersion, int]]
"""Versions by number, and how many environments each of them is to have."""


Here = Callable[[str, int], int]
Elsewhere = Callable[[FunctionVersion], tuple[int, str | None]]


class Allotments:
    """services.lambda_.ports.Allotments."""

    def __init__(
        self,
        store: ConcurrencyStore,
        concurrency: Concurrency,
        directory: Directory,
        pools: Pools,
        here: Here = lambda name, count: count,
    ) -> None:
        """`here` says how many of a version's provisioned environments are this node's."""
        self._store = store
        self._concurrency = concurrency
        self._directory = directory
        self._pools = pools
        self._here = here
        self.elsewhere: Elsewhere = lambda version: (0, None)
        """Of a version, how many are ready on other nodes, and why one there is not."""
        self._promised: dict[FunctionId, dict[str, _Parts]] = {}
        """By function and qualifier, where its provisioned environments are."""
        self._withdrawn = False
        self._refreshing = asyncio.Lock()
        self._tasks = Tasks("allotments")

    async def open(self) -> None:
        reserved = await self._store.all_reserved()
        provisioned = await self._store.all_provisioned()
        for function in {*reserved, *(config.function for config in provisioned)}:
            await self.refresh(function)

    async def close(self) -> None:
        await self._tasks.close()

    def nodes_changed(self) -> None:
        """What is provisioned is placed anew."""
        for function in list(self._promised):
            self._tasks.start(self.refresh(function), f"place {function.name} anew")

    def withdraw(self) -> None:
        """Nothing is provisioned here until `restore`: other nodes have it. What runs goes on to its end."""
        if self._withdrawn:
            return
        self._withdrawn = True
        for function in self._promised:
            self._concurrency.withdraw_provisioned(function)
            self._pools.unprovision(function, keep=())

    def restore(self) -> None:
        """This node is one of those that share what is provisioned. Most often it was all the time."""
        if self._withdrawn:
            self._withdrawn = False
            self.nodes_changed()

    def function_changed(self, function: FunctionId) -> None:
        if function in self._promised:
            self._tasks.start(self.refresh(function), f"refresh {function.name}")

    async def refresh(self, function: FunctionId) -> None:
        async with self._refreshing:  # who reads later must also write later
            reserved = await self._store.reserved(function)
            configs = await self._store.provisioned(function)
            placed = {config.qualifier: await self._place(config) for config in configs}
            wanted = _wanted(placed)
            promised = sum(config.requested for config in configs)
            here = {
                number: (version, self._here(version.arn(), count))
                for number, (version, count) in wanted.items()
            }
            self._concurrency.allot(
                function, reserved, promised, {number: count for number, (_, count) in here.items()}
            )
            if reserved is None and not configs:
                self._promised.pop(function, None)
            else:
                self._promised[function] = placed
            self._provision(function, here)

    async def status(self, config: ProvisionedConcurrency) -> ProvisionedStatus:
        """How far the environments of a configuration are, after all changes that were made before this was asked."""
        async with self._refreshing:
            pass
        parts = self._promised.get(config.function, {}).get(config.qualifier, {})
        ready, failure = 0, None
        for number, (version, wanted) in parts.items():
            provisioned = self._pools.provisioned(config.function, number)
            ready_elsewhere, failure_elsewhere = self.elsewhere(version)
            ready_here = provisioned.ready if provisioned is not None else 0
            ready += min(ready_here + ready_elsewhere, wanted)
            failure = (
                failure or (provisioned.failure if provisioned is not None else None) or failure_elsewhere
            )
        status: Literal["IN_PROGRESS", "READY", "FAILED"] = "IN_PROGRESS"
        if ready >= config.requested:
            status, failure = "READY", None
        elif failure is not None:
            status = "FAILED"
        return ProvisionedStatus(ready=ready, status=status, reason=failure)

    async def _place(self, config: ProvisionedConcurrency) -> _Parts:
        """A version has them all; an alias of two divides them by their weights. What cannot be invoked yet has none:
        it will change when it can."""
        try:
            target = await self._directory.resolve(config.function, config.qualifier)
        except ServiceException:
            return {}
        moved = 0
        parts: _Parts = {}
        if target.additional is not None:
            moved = round(config.requested * target.additional_weight)
            parts[target.additional.version] = (target.additional, moved)
        parts[target.version.version] = (target.version, config.requested - moved)
        return parts

    def _provision(self, function: FunctionId, wanted: _Parts) -> None:
        self._pools.unprovision(function, wanted)
        for version, count in wanted.values():
            self._pools.provision(version, count)


def _wanted(placed: dict[str, _Parts]) -> _Parts:
    """A version may be wanted by its own number and by aliases: it has their sum."""
    wanted: _Parts = {}
    for parts in placed.values():
        for number, (version, count) in parts.items():
            _, before = wanted.get(number, (version, 0))
            wanted[number] = version, before + count
    return wanted
