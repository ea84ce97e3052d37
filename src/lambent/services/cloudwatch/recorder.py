"""Where the server's own measurements are counted: in memory, by the minute, and stored every few seconds.

A crash loses what was counted since the last time, and nothing older. Whoever reads has everything stored first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

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
        self._counting: dict[tuple[Any, ...], Sequence[Tally]] = {}
        """What `put` adds to, by what it is given, since the last flush: making the keys anew would cost 3 µs."""
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
        minute = int(self._now() if at is None else at) // _MINUTE * _MINUTE
        named = tuple(dimensions.items()) if dimensions else ()
        given = (minute, name, account_id, region, namespace, unit, named)
        tallies = self._counting.get(given)
        if tallies is None:
            tallies = self._counting[given] = self._tallies(*given)
        if isinstance(value, (int, float)):
            for tally in tallies:
                tally.add(value)
        else:
            for tally in tallies:
                tally.add_all(value)

    def _tallies(
        self,
        minute: int,
        name: str,
        account_id: str,
        region: str,
        namespace: str,
        unit: str,
        dimensions: Sequence[tuple[str, str]],
    ) -> Sequence[Tally]:
        """That of this minute, and the total."""
        metric = MetricKey(
            account_id=account_id,
            region=region,
            namespace=namespace,
            name=name,
            dimensions=tuple(sorted(dimensions)),
        )
        tally = self._counted.setdefault(Minute(metric, unit, minute), Tally())
        total = self.totals.get((metric, unit))
        if total is None and len(self.totals) < _TOTALS_MOST:
            total = self.totals[metric, unit] = Tally(values=None)
        return (tally,) if total is None else (tally, total)

    async def flush(self) -> None:
        """Stores what was counted until now. What the store does not take is counted on. Raises StoreError."""
        async with self._storing:
            counted, self._counted, self._counting = self._counted, {}, {}
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
