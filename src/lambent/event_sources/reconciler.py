"""Runners as the store wants them: one for each enabled mapping, and none for any other.

Whoever changes a mapping writes the store and wakes this. It makes the change real, then writes that it is:
Creating, Enabling, Updating ─► Enabled or Disabled; Disabling ─► Disabled; Deleting ─► gone. A server that was killed
in between finds the same mapping in the store when it starts again, and goes on. Of several nodes one runs a mapping.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.base.tasks import Tasks
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.store.ports.errors import NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.event_source_mappings import EventSourceMappingStore

log = logging.getLogger(__name__)

_Key = tuple[str, str, str]
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


class Runner(Protocol):
    """A mapping at work."""

    def start(self) -> None: ...

    async def stop(self) -> None:
        """Takes no more records. Those that functions have are with them still."""
        ...

    async def drain(self, seconds: float | None = None) -> None:
        """Once it is stopped: ends when nothing of it is left, or after about `seconds`."""
        ...


class Shares(Protocol):
    """Which mappings this node runs, by name."""

    def is_mine(self, name: str) -> bool:
        """Whether this node is to run it."""
        ...

    async def take(self, name: str) -> bool:
        """Whether it may, now. Raises StoreError."""
        ...

    async def give_up(self, name: str) -> None:
        """It has stopped. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class _Started:
    mapping: EventSourceMapping
    runner: Runner


class Reconciler:
    def __init__(
        self,
        store: EventSourceMappingStore,
        runner_of: Callable[[EventSourceMapping], Runner],
        clock: Clock,
        shares: Shares,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._runner_of = runner_of
        self._clock = clock
        self._shares = shares
        self._sleep = sleep
        self._enabled: dict[_Key, EventSourceMapping] = {}
        self._started: dict[_Key, _Started] = {}
        self._wanted: set[_Key] = set()
        self._reconciling: set[_Key] = set()
        self._tasks = Tasks("event source mappings")

    async def open(self) -> None:
        """Starts what is enabled, and continues what a server before us left unfinished."""
        for mapping in await self._store.all():
            self.wake(mapping)

    async def close(self) -> None:
        """What functions have may end in a moment; what does not comes again from its source."""
        await self._tasks.close()
        started = list(self._started.values())
        self._started.clear()
        await asyncio.gather(*(self._end(each.runner, _CLOSE_SECONDS) for each in started))

    def review(self) -> None:
        """The nodes may have changed, and with them what this one is to run."""
        for key, mapping in list(self._enabled.items()):
            if self._shares.is_mine(_name(key)) is not (key in self._started):
                self.wake(mapping)

    def lapsed(self) -> None:
        """This node may run nothing for now."""
        for started in list(self._started.values()):
            self.wake(started.mapping)

    async def changed(self, key: str) -> None:
        """Another node has changed the mapping account/region/uuid."""
        account_id, region, uuid = key.split("/")
        self._wake((account_id, region, uuid))

    def wake(self, mapping: EventSourceMapping) -> None:
        """Says that this mapping may have changed."""
        self._wake(_key(mapping))

    def _wake(self, key: _Key) -> None:
        self._wanted.add(key)
        if key not in self._reconciling:
            self._reconciling.add(key)
            self._tasks.start(self._reconcile(key), key[2])

    async def _reconcile(self, key: _Key) -> None:
        try:
            while key in self._wanted:
                self._wanted.discard(key)
                try:
                    await self._step(key)
                except (NotFoundError, StaleRevisionError):
                    self._wanted.add(key)  # it was changed meanwhile
                except StoreError:
                    log.exception("the mapping %s cannot be read or written; trying again", key[2])
                    self._wanted.add(key)
                    await self._sleep(_RETRY_SECONDS)
        finally:
            self._reconciling.discard(key)

    async def _step(self, key: _Key) -> None:
        mapping = await self._store.get(*key)
        if mapping is None or not mapping.enabled:
            self._enabled.pop(key, None)
        else:
            self._enabled[key] = mapping
        if mapping is not None and mapping.enabled and await self._shares.take(_name(key)):
            await self._run(key, mapping)
        elif (started := self._started.pop(key, None)) is not None:
            await started.runner.stop()
            await self._shares.give_up(_name(key))
            await started.runner.drain()
        if mapping is not None and mapping.in_transition:
            await self._settle(mapping)

    async def _run(self, key: _Key, mapping: EventSourceMapping) -> None:
        started = self._started.get(key)
        if started is not None:
            if _same_work(started.mapping, mapping):
                return
            # What functions have of the old one does not keep the new one from its work.
            await started.runner.stop()
            self._tasks.start(started.runner.drain(), f"{mapping.uuid} before its change")
        runner = self._runner_of(mapping)
        self._started[key] = _Started(mapping, runner)
        runner.start()

    async def _end(self, runner: Runner, seconds: float | None = None) -> None:
        await runner.stop()
        await runner.drain(seconds)

    async def _settle(self, mapping: EventSourceMapping) -> None:
        if (remaining := mapping.settles_at - self._clock.now()) > 0:
            await self._sleep(remaining)
        if mapping.state == "Deleting":
            await self._store.delete(mapping)
            return
        settled = replace(
            mapping,
            state="Enabled" if mapping.enabled else "Disabled",
            last_modified=self._clock.now(),
            revision_id=new_uuid(),
        )
        await self._store.replace(settled, expected_revision_id=mapping.revision_id)


def _key(mapping: EventSourceMapping) -> _Key:
    return mapping.account_id, mapping.region, mapping.uuid


def _name(key: _Key) -> str:
    """Of its lease."""
    return f"mapping {key[2]}"


def _same_work(one: EventSourceMapping, other: EventSourceMapping) -> bool:
    return (one.function_arn, one.settings, one.sealed_criteria) == (
        other.function_arn,
        other.settings,
        other.sealed_criteria,
    )
