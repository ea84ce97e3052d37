"""Pipes as the store wants them: a runner for each that is to run, and none for any other.

Whoever changes a pipe writes the store and wakes this. It makes the change real, then writes that it is. A server that
was killed in between finds the same pipe in the store when it starts again, and goes on. One node runs all pipes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.event_sources.reconciler import Runner
from lambent.model.pipe import Pipe
from lambent.store.ports.errors import NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Started:
    work: tuple[Any, ...]
    runner: Runner


class Keeper:
    def __init__(self, pipes: NamedRecords[Pipe], runner_of: Callable[[Pipe], Runner], clock: Clock) -> None:
        self._pipes = pipes
        self._runner_of = runner_of
        self._clock = clock
        self._started: dict[Name, _Started] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A pipe may have changed."""
        self._wake.set()

    async def changed(self, key: str) -> None:
        """Another node has changed a pipe."""
        self.wake()

    async def run(self) -> None:
        """Until cancelled, which ends what runs."""
        ending = Tasks("pipes before their change")
        try:
            while True:
                self._wake.clear()
                try:
                    seconds = await self.look(ending)
                except StoreError as error:
                    log.warning("pipes cannot be read or written: %s", error)
                    seconds = _RETRY_SECONDS
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), seconds)
        finally:
            started = list(self._started.values())
            self._started.clear()
            await asyncio.gather(*(_end(each.runner) for each in started))
            await ending.finish(_CLOSE_SECONDS)

    async def look(self, ending: Tasks) -> float:
        """Starts and stops, and settles what has become as it is wanted. Returns after how many seconds to look again.

        Raises StoreError."""
        pipes = dict(await self._pipes.all())
        for name in [name for name in self._started if name not in pipes]:
            await self._stop(name, ending)
        seconds = _LOOK_SECONDS
        for name, pipe in pipes.items():
            await self._fit(name, pipe, ending)
            if pipe.in_transition:
                seconds = min(seconds, await self._settle(name, pipe))
        return seconds

    async def _fit(self, name: Name, pipe: Pipe, ending: Tasks) -> None:
        started, work = self._started.get(name), _work(pipe)
        if pipe.desired_state == "RUNNING" and (started is None or started.work != work):
            await self._stop(name, ending)
            runner = self._runner_of(pipe)
            self._started[name] = _Started(work, runner)
            runner.start()
        elif pipe.desired_state != "RUNNING":
            await self._stop(name, ending)

    async def _stop(self, name: Name, ending: Tasks) -> None:
        started = self._started.pop(name, None)
        if started is not None:
            await started.runner.stop()
            ending.start(started.runner.drain(), name.name)

    async def _settle(self, name: Name, pipe: Pipe) -> float:
        """Returns how many seconds it still shows as changing."""
        if (remaining := pipe.settles_at - self._clock.now()) > 0:
            return remaining
        with contextlib.suppress(NotFoundError, StaleRevisionError):  # it was changed meanwhile
            if pipe.desired_state == "DELETED":
                await self._pipes.delete(name)
            else:
                await self._pipes.replace(name, replace(pipe, state=pipe.desired_state), previous=pipe)
            return _LOOK_SECONDS
        return 0.0


def _work(pipe: Pipe) -> tuple[Any, ...]:
    """What a runner is made of: another one is needed where this has changed."""
    return (
        pipe.created_at,
        pipe.source_parameters,
        pipe.enrichment,
        pipe.enrichment_parameters,
        pipe.target,
        pipe.target_parameters,
        pipe.log_configuration,
        pipe.role_arn,
    )


async def _end(runner: Runner) -> None:
    await runner.stop()
    await runner.drain(_CLOSE_SECONDS)
