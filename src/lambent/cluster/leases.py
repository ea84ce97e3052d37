"""What only one node does at a time: done by whoever holds its lease."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from lambent.base.tasks import Tasks
from lambent.cluster.membership import Membership
from lambent.store.ports.errors import StoreError
from lambent.store.ports.fence import Fence, under
from lambent.store.ports.nodes import NodeStore

log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, None]]


class Leases:
    """The membership's beat renews the leases, too; when that fails for too long, or finds that this node is a member
    no more, all work that goes on under a lease is cancelled, to begin anew when the lease is acquired again."""

    def __init__(
        self,
        store: NodeStore,
        membership: Membership,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._membership = membership
        self._sleep = sleep
        self._working: set[asyncio.Task[None]] = set()
        self._tasks = Tasks("leases")
        self.held: dict[str, int] = {}
        """Tokens by name."""
        self._left: dict[str, int] = {}
        """Tokens of those that nobody here holds on to any more."""
        membership.lapsed.append(self._lapse)

    async def hold(self, name: str, work: Work) -> None:
        """Runs `work` whenever this node has the lease, until cancelled. Work that ends or fails is begun again."""
        while True:
            token = await self._acquire(name)
            if token is None:
                await self._sleep(self._membership.beat_seconds)
                continue
            self.held[name] = token
            try:
                with under(Fence(name, self._membership.me.id, token)):
                    await self._run(name, work)
            except asyncio.CancelledError:
                self._left[name] = token
                raise
            finally:
                self.held.pop(name, None)
            await self._sleep(self._membership.beat_seconds)

    async def acquire(self, name: str) -> int | None:
        """For those who do by themselves what they hold it for. Renewed with the membership. Raises StoreError."""
        token = await self._store.acquire(name, self._membership.me, self._membership.seconds)
        if token is not None:
            self.held[name] = token
        return token

    async def release(self, name: str) -> None:
        """Raises StoreError."""
        token = self.held.pop(name, None)
        if token is not None:
            await self._store.release(name, self._membership.me, token)

    async def close(self) -> None:
        """After whoever held one was cancelled: others may have them."""
        await self._tasks.close()
        left, self._left = self._left, {}
        with contextlib.suppress(StoreError):  # at once, so that they share a commit
            await asyncio.gather(
                *(self._store.release(name, self._membership.me, token) for name, token in left.items())
            )

    async def _acquire(self, name: str) -> int | None:
        if not self._membership.valid:
            return None
        try:
            return await self._store.acquire(name, self._membership.me, self._membership.seconds)
        except StoreError:
            log.exception("the lease %s could not be asked for", name)
            return None

    async def _run(self, name: str, work: Work) -> None:
        task = self._tasks.start(work(), name)
        self._working.add(task)
        try:
            with contextlib.suppress(Exception):  # told by Tasks
                await asyncio.wait([task])
        finally:
            self._working.discard(task)
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    def _lapse(self) -> None:
        self.held.clear()
        for task in list(self._working):
            task.cancel()
