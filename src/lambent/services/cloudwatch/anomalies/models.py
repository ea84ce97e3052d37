"""The models that bands are drawn from: learned from two weeks, and anew with each hour."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from lambent.model.anomaly_detector import AnomalyDetector
from lambent.services.cloudwatch.anomalies.band import Model, learn
from lambent.services.cloudwatch.anomalies.detectors import TRAINING_SECONDS, Detectors
from lambent.services.cloudwatch.expression_values import Series
from lambent.services.cloudwatch.series import Window

_HOUR, _DAY = 3600, 86_400
_REMEMBERED_MOST = 256
_ABOUT = ("Id", "MetricStat", "Expression", "Period")

ReadPast = Callable[[Window], Awaitable[Series]]


class Models:
    def __init__(self, detectors: Detectors) -> None:
        self._detectors = detectors
        self._learned: dict[bytes, Model | None] = {}
        """The oldest first."""

    async def model(
        self,
        account_id: str,
        region: str,
        queries: Sequence[Mapping[str, Any]],
        window: Window,
        read: ReadPast,
    ) -> Model | None:
        """Of the last of `queries`, for a window; the others are what it needs. `read` gives its past, day by day. None
        where too little is known of it."""
        detector = None
        if stat := queries[-1].get("MetricStat"):
            detector = await self._detectors.find(account_id, region, stat)
        end = window.end // _HOUR * _HOUR
        about = [{name: query[name] for name in _ABOUT if name in query} for query in queries]
        rules = None if detector is None else [detector.configuration, detector.periodic_spikes]
        key = orjson.dumps([account_id, region, about, window.period, end, rules])
        if key not in self._learned:
            past: Series = {}
            for start in range(end - TRAINING_SECONDS, end, _DAY):
                past |= await read(Window(start=start, end=start + _DAY, period=window.period))
            # Twenty thousand datapoints take longer than the event loop has.
            self._remember(key, await asyncio.to_thread(_learned, past, detector))
        return self._learned[key]

    def _remember(self, key: bytes, model: Model | None) -> None:
        if len(self._learned) >= _REMEMBERED_MOST:
            del self._learned[next(iter(self._learned))]
        self._learned[key] = model


def _learned(past: Series, detector: AnomalyDetector | None) -> Model | None:
    if detector is None:
        return learn(past, UTC)
    configuration = detector.configuration
    zone: tzinfo = ZoneInfo(configuration["MetricTimezone"]) if "MetricTimezone" in configuration else UTC
    excluded = configuration["ExcludedTimeRanges"]
    counted = {
        at: value
        for at, value in past.items()
        if not any(one["StartTime"] <= at < one["EndTime"] for one in excluded)
    }
    return learn(counted, zone, periodic_spikes=bool(detector.periodic_spikes))
