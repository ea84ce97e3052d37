"""Metrics become coarser with age, and then go: minutes for 15 days, five minutes for 63, hours for 455, as on AWS."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lambent.base.clock import Clock, Jumps
from lambent.store.ports.errors import StoreError
from lambent.store.ports.metrics import MetricStore

log = logging.getLogger(__name__)

_DAY = 86_400
_COARSER = ((15 * _DAY, 300), (63 * _DAY, 3600))
"""After so many seconds, one for each of so many."""
_KEPT_SECONDS = 455 * _DAY
_SWEEP_SECONDS = 3600.0
_BATCH = 1000


class Retention:
    def __init__(self, store: MetricStore, clock: Clock) -> None:
        self._store = store
        self._jumps = Jumps(clock)

    async def run(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        while True:
            await sleep(_SWEEP_SECONDS)
            try:
                await self.sweep()
            except StoreError:
                log.exception("old metrics were not rolled up; next attempt in an hour")

    async def sweep(self) -> None:
        now = self._jumps.believed()
        for age, seconds in _COARSER:
            while await self._store.roll_up(before=now - age, seconds=seconds):
                pass  # step by step, so that other writes come in between
        while await self._store.expire(before=now - _KEPT_SECONDS, limit=_BATCH) == _BATCH:
            pass
