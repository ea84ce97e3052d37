"""This server among those that share its database, put together."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent import __version__
from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.cluster.changes import Changes, Handler
from lambent.cluster.leases import Leases
from lambent.cluster.membership import Membership
from lambent.cluster.shares import Shares
from lambent.cluster.upgrade import Upgrade
from lambent.config import Settings
from lambent.store.ports.errors import StoreError
from lambent.store.ports.nodes import Node
from lambent.store.sql.changes import SqlChangeStore
from lambent.store.sql.database import Database
from lambent.store.sql.nodes import SqlNodeStore
from lambent.store.sql.schema import known_number

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25
"""How often a node looks for what others have written, where there are others."""
_WAKE_SECONDS = 0.5

Work = Callable[[], Coroutine[Any, Any, None]]


class ThisNode:
    """`join` before anything is remembered of the store, `start` once everything is ready, `leave` when nothing of this
    node works any more."""

    def __init__(self, settings: Settings, node_id: str, database: Database, clock: Clock) -> None:
        self.roles = settings.roles
        self.store = SqlNodeStore(database)
        me = Node(
            id=node_id,
            incarnation="",
            address="",
            zone=settings.zone,
            roles=settings.roles,
            version=__version__,
            schema_known=known_number(),
        )
        self.membership = Membership(
            self.store, me, clock, seconds=settings.membership_seconds, displaced=_end
        )
        self.upgrade = Upgrade(database, outdated=_end, look_seconds=self.membership.beat_seconds)
        self.leases = Leases(self.store, self.membership)
        self.mappings = Shares(self.leases, self.membership, "poller")
        self._change_store = SqlChangeStore(database)
        self._handlers: dict[str, Handler] = {}
        self._reloads: list[Callable[[], Awaitable[None]]] = []
        self._wakes: list[Callable[[], None]] = []
        self._changes = Changes(self._change_store, self._handlers, self._reload, self._look_seconds)
        self._tasks = Tasks("cluster")
        self._beating = Tasks("membership")

    async def join(self, address: str = "") -> None:
        """`address` is where others may call. Raises StoreError."""
        self.membership.me = replace(self.membership.me, address=address)
        await self.membership.join()
        await self._changes.open()

    def remembers(
        self, handlers: Mapping[str, Handler], reload: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Says what this node remembers of the store, by the kind of the changes that concern it."""
        self._handlers.update(handlers)
        if reload is not None:
            self._reloads.append(reload)

    @property
    def seen(self) -> int:
        """A mark for `look`: how much of what others have written is known here."""
        return self._changes.seen

    async def look(self, since: int) -> bool:
        """Whether others have written something that was not known here at the mark `since`, be it found now or by
        the look that this node takes anyway. Asks nobody where there are no others."""
        if not self.membership.others:
            return False
        try:
            await self._changes.look()
        except StoreError:
            return False
        return self.seen != since

    def waits(self, wakes: Sequence[Callable[[], None]]) -> None:
        """Says what sleeps until something is written, which others may do, too."""
        self._wakes.extend(wakes)

    def start(self, once: Mapping[str, Work]) -> None:
        self._beating.start(self.membership.run(), "renew the membership")
        self._tasks.start(self.upgrade.run(), "look whether older nodes have left")
        self._tasks.start(self._changes.run(), "hear of what others have written")
        self._tasks.start(self._wake_up(), "wake what waits for others")
        if "poller" in self.roles:
            for name, work in {**once, "forget old changes": self._changes.sweep}.items():
                self._tasks.start(self.leases.hold(name, work), name)

    async def close(self) -> None:
        """What only this node did, others may do. It stays a member while it answers what is in progress."""
        await self._tasks.close()
        await self.leases.close()

    async def leave(self) -> None:
        await self._beating.close()
        with contextlib.suppress(StoreError):
            await self.membership.leave()

    def _look_seconds(self) -> float:
        return _LOOK_SECONDS if self.membership.others else self.membership.beat_seconds

    async def _reload(self) -> None:
        for reload in self._reloads:
            await reload()

    async def _wake_up(self) -> None:
        while True:
            await asyncio.sleep(_WAKE_SECONDS)
            if self.membership.others:
                for wake in self._wakes:
                    wake()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
