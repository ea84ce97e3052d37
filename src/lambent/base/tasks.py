"""Background tasks that have an owner: none is lost, none fails unseen, all end with their owner."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0


class Tasks:
    """The background tasks of one owner. `close` cancels what still runs and waits for it."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=f"{self._owner}: {name}")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
        """Work without an end: where it fails, it is begun again."""
        return self.start(self._keep(work, name), name)

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                return await work()
            except Exception:
                log.exception("%s: %s failed; it is begun again in %.0f s", self._owner, name, _AGAIN_SECONDS)
                await asyncio.sleep(_AGAIN_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    async def close(self) -> None:
        while self._running:  # what ends may have started another
            running = list(self._running)
            for task in running:
                task.cancel()
            # Failures are told where each task ends, by `_ended`.
            await asyncio.gather(*running, return_exceptions=True)
            # Where all had ended, gather has not waited for it (since Python 3.12): `_ended` may not have been called.
            await asyncio.sleep(0)

    async def finish(self, seconds: float) -> None:
        """Waits for what runs, but not longer than this; then cancels the rest."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=seconds)
        await self.close()
