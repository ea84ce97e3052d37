"""Every pool of this server: one for each version that runs, in the configuration that it has now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator

from lambent.base.tasks import Tasks
from lambent.environments.pool import Lifetimes, Pool, Prepare
from lambent.environments.provisioned import Provisioned
from lambent.environments.start_rate import StartRate
from lambent.environments.surroundings import Surroundings
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult

log = logging.getLogger(__name__)

_EXPIRY_SWEEP_SECONDS = 1.0
_CLOSE_SECONDS = 5.0

CurrentVersion = Callable[[FunctionId, str], Awaitable[FunctionVersion | None]]
"""The version that now runs under this number or `$LATEST`; None where there is none."""


_Key = tuple[FunctionId, str, str | None]
"""A version, and the tenant where it keeps tenants apart: no environment of one is ever another's."""


class Pools:
    """Every pool of this server."""

    def __init__(self, prepare: Prepare, surroundings: Surroundings, lifetimes: Lifetimes) -> None:
        self._prepare = prepare
        self._around = surroundings
        self._lifetimes = lifetimes
        self._pools: dict[_Key, Pool] = {}
        self._rates: dict[FunctionId, StartRate] = {}
        self._provisioned: dict[_Key, int] = {}
        """How many environments of a version are to be kept ready, whichever pool it has."""
        self._tasks = Tasks("pools")

    async def invoke(
        self, version: FunctionVersion, invocation: Invocation, ended: Callable[[], None]
    ) -> InvocationResult:
        """Runs one invocation of this version. Raises a ServiceException where no environment can be had.

        `ended` is called once, when the invocation is over. Where the caller is cancelled while it runs, that is later
        than this returns: nothing stops an invocation that has begun."""
        key = (version.function, version.version, invocation.tenant_id)
        pool = self._pools.get(key)
        if pool is None or pool.version is not version:
            pool = self._replace(key, pool, version)
        return await pool.invoke(invocation, ended)

    def _replace(self, key: _Key, old: Pool | None, version: FunctionVersion) -> Pool:
        if old is not None:
            if old.version == version:
                old.version = version
                return old
            old.retire()
        pool = Pool(version, self._prepare, self._around, self._tasks, self._lifetimes, self._rate(key[0]))
        self._pools[key] = pool
        if wanted := self._provisioned.get(key):
            pool.provision(wanted)
        return pool

    def _rate(self, function: FunctionId) -> StartRate:
        rate = self._rates.get(function)
        if rate is None:
            rate = self._rates[function] = StartRate(self._around.clock.monotonic())
        return rate

    def provision(self, version: FunctionVersion, wanted: int) -> None:
        """Keeps so many environments of this version initialized ahead; 0 ends that."""
        key = (version.function, version.version, None)
        pool = self._pools.get(key)
        if wanted:
            self._provisioned[key] = wanted
            if pool is None or pool.version is not version:
                pool = self._replace(key, pool, version)
        else:
            self._provisioned.pop(key, None)
        if pool is not None:
            pool.provision(wanted)

    def unprovision(self, function: FunctionId, keep: Collection[str]) -> None:
        """Ends that for all versions of a function but these."""
        for key in list(self._provisioned):
            if key[0] == function and key[1] not in keep:
                del self._provisioned[key]
                if (pool := self._pools.get(key)) is not None:
                    pool.provision(0)

    def has_idle(self, version: FunctionVersion, tenant_id: str | None) -> bool:
        """Whether an environment of it waits for an invocation."""
        pool = self._pools.get((version.function, version.version, tenant_id))
        return pool is not None and bool(pool.idle or pool.provisioned.idle)

    def idle(self) -> Iterator[tuple[FunctionId, str, str | None, int]]:
        """How many wait, by version and tenant; of those of which any does."""
        for (function, version, tenant_id), pool in self._pools.items():
            if count := pool.idle + len(pool.provisioned.idle):
                yield function, version, tenant_id, count

    def counts(self) -> dict[str, int]:
        """How many environments there are, by what they do."""
        pools = self._pools.values()
        idle = sum(pool.idle + len(pool.provisioned.idle) for pool in pools)
        busy, starting = sum(pool.busy for pool in pools), sum(pool.starting for pool in pools)
        return {"idle": idle, "busy": busy, "starting": starting}

    def all_provisioned(self) -> Iterator[tuple[FunctionId, str, Provisioned]]:
        for function, version, tenant_id in list(self._provisioned):
            pool = self._pools.get((function, version, tenant_id))
            if pool is not None and pool.provisioned.wanted:
                yield function, version, pool.provisioned

    def provisioned(self, function: FunctionId, version: str) -> Provisioned | None:
        pool = self._pools.get((function, version, None))
        return pool.provisioned if pool is not None else None

    async def review(self, function: FunctionId, current: CurrentVersion) -> None:
        """Ends the environments of versions that are deleted or not what they were. Called when a function changed."""
        for key, pool in list(self._pools.items()):
            if key[0] == function and pool.version != await current(key[0], key[1]):
                pool.retire()
                if self._pools.get(key) is pool:
                    del self._pools[key]

    def has(self, function: FunctionId) -> bool:
        return any(key[0] == function for key in self._pools)

    def count(self) -> int:
        return sum(pool.size for pool in self._pools.values())

    async def run(self) -> None:
        """Freezes soon, expires now and then, for ever. Pools where all is frozen cost nothing in between."""
        interval = max(0.02, min(self._lifetimes.freeze_after / 2, _EXPIRY_SWEEP_SECONDS))
        swept_all_at = 0.0
        while True:
            await asyncio.sleep(interval)
            now = self._around.clock.monotonic()
            sweep_all = now - swept_all_at >= _EXPIRY_SWEEP_SECONDS
            if sweep_all:
                swept_all_at = now
            for key, pool in list(self._pools.items()):
                if sweep_all or pool.restless:
                    self._sweep(key, pool)

    def _sweep(self, key: _Key, pool: Pool) -> None:
        try:
            pool.sweep()
        except Exception:
            log.exception("the idle environments of %s were not looked after", pool.version.arn())
        if pool.deserted:
            del self._pools[key]

    async def close(self) -> None:
        """Ends what is idle; what is still starting or busy ends with the sandbox backend."""
        for pool in self._pools.values():
            pool.retire()
        await self._tasks.finish(_CLOSE_SECONDS)
