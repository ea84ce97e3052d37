"""Where the server's own measurements are counted: in memory, by the minute, and stored every few seconds.

A crash loses what was counted since the last time, and nothing older. Whoever reads has everything stored first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from lambent.base.clock import Clock
from lambent.model.tally import MetricKey, Tally
from lambent.store.ports.errors import StoreError
from lambent.store.ports.metrics import MetricStore, Minute

log = logging.getLogger(__name__)

_STORE_SECONDS = 5.0
_MINUTE = 60
_TOTALS_MOST = 20_000
"""Metrics with a total: whoever logs a dimension's value for each request must not fill the memory."""


class Recorder:
    """model.metric.Metrics. `totals` counts since the server started, by metric and unit, for Prometheus."""

    def __init__(
        self, store: MetricStore, clock: Clock, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._store = store
        self._now = clock.now
        self._sleep = sleep
        self._counted: dict[Minute, Tally] = {}
        self._storing = asyncio.Lock()
        self.totals: dict[tuple[MetricKey, str], Tally] = {}

    def put(
        self,
        account_id: str,
        region: str,
        namespace: str,
        name: str,
        value: float | Sequence[float],
        *,
        unit: str = "None",
        dimensions: Mapping[str, str] | None = None,
        at: float | None = None,
    ) -> None:
        metric = MetricKey(
            account_id=account_id,
            region=region,
            namespace=namespace,
            name=name,
            dimensions=tuple(sorted(dimensions.items())) if dimensions else (),
        )
        minute = Minute(metric, unit, int(self._now() if at is None else at) // _MINUTE * _MINUTE)
        tally = self._counted.get(minute)
        if tally is None:
            tally = self._counted[minute] = Tally()
        total = self.totals.get((metric, unit))
        if total is None and len(self.totals) < _TOTALS_MOST:
            total = self.totals[metric, unit] = Tally(values=None)
        for each in (tally,) if total is None else (tally, total):
            if isinstance(value, Sequence):
                each.add_all(value)
            else:
                each.add(value)

    async def flush(self) -> None:
        """Stores what was counted until now. What the store does not take is counted on. Raises StoreError."""
        async with self._storing:
            counted, self._counted = self._counted, {}
            if not counted:
                return
            try:
                await self._store.add(counted)
            except BaseException:
                for minute, tally in counted.items():
                    if minute in self._counted:
                        self._counted[minute].merge(tally)
                    else:
                        self._counted[minute] = tally
                raise

    async def run(self) -> None:
        """Stores every few seconds, until cancelled."""
        while True:
            await self._sleep(_STORE_SECONDS)
            try:
                await self.flush()
            except StoreError:
                log.exception("metrics could not be stored; they are counted on")

    async def close(self) -> None:
        with contextlib.suppress(StoreError):
            await self.flush()
