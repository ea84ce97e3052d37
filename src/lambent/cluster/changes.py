"""What others have written, brought to this node's memory: polled from the database, sooner where somebody says so.

A change has its number before it is committed, so one with a smaller number may be seen later than one with a greater:
what is younger than a while is read again, and what was dealt with is skipped.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from lambent.store.ports.changes import ChangeStore, NotedChange

log = logging.getLogger(__name__)

_LATE_SECONDS = 10.0
"""No transaction is under way for longer after it has noted a change."""
KEPT_SECONDS = 3600.0
_SWEEP_SECONDS = 600.0
_RETRY_SECONDS = 2.0

Handler = Callable[[str], Awaitable[None]]
"""Given the key of what changed."""


class Changes:
    """`handlers` are by kind; they read the store anew, or forget so that the next who asks does. `everything` is for
    where it is not known what was missed. `seconds` says how long to wait until the next look."""

    def __init__(
        self,
        store: ChangeStore,
        handlers: Mapping[str, Handler],
        everything: Callable[[], Awaitable[None]],
        seconds: Callable[[], float],
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._everything = everything
        self._seconds = seconds
        self.seen = 0
        """Grows whenever something new was dealt with."""
        self._horizon = 0
        """All up to this number was dealt with."""
        self._dealt_with: set[int] = set()
        self._looking = asyncio.Lock()

    async def open(self) -> None:
        """Before anything is read into memory. Raises StoreError."""
        self._settle(await self._store.since(0))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds())
            try:
                await self.look()
            except Exception:
                log.exception(
                    "what other nodes have written could not be read; next try in %g s", _RETRY_SECONDS
                )
                await asyncio.sleep(_RETRY_SECONDS)

    async def look(self) -> bool:
        """Whether there was anything new. Raises what handlers raise: it is new again at the next look."""
        async with self._looking:
            first, last = await self._store.bounds()
            if last <= self._horizon:
                return False
            found = await self._store.since(self._horizon)
            new = [change for change in found if change.number not in self._dealt_with]
            if first > self._horizon + 1 and not self._dealt_with:
                log.info("changes may have been missed: all that this node remembers is read again")
                await self._everything()
            else:
                await self._deal_with(new)
            self._dealt_with.update(change.number for change in new)
            self.seen += bool(new)
            self._settle(found)
            return bool(new)

    async def sweep(self) -> None:
        """Forgets what every node has seen, for ever."""
        while True:
            await self._store.forget(older_than_seconds=KEPT_SECONDS)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def _deal_with(self, changes: Sequence[NotedChange]) -> None:
        for kind, key in dict.fromkeys((change.kind, change.key) for change in changes):
            handler = self._handlers.get(kind)
            if handler is not None:
                await handler(key)

    def _settle(self, found: Sequence[NotedChange]) -> None:
        settled = [change.number for change in found if change.age_seconds > _LATE_SECONDS]
        if settled:
            self._horizon = max(settled)
            self._dealt_with = {number for number in self._dealt_with if number > self._horizon}
