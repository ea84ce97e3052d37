"""The metrics of OpenTelemetry: as JSON, and how they are pushed to a collector.

Sums are since the start (cumulative), so whatever a push lacked the next one brings.

Source: https://opentelemetry.io/docs/specs/otlp/ (OTLP/HTTP, JSON Protobuf encoding)
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from lambent.base.clock import Clock
from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.model.tally import Tally
from lambent.services.cloudwatch.families import Family, Labels, Reading

log = logging.getLogger(__name__)

_CUMULATIVE = 2
_UNITS = {
    "Seconds": "s",
    "Milliseconds": "ms",
    "Microseconds": "us",
    "Bytes": "By",
    "Kilobytes": "kBy",
    "Megabytes": "MBy",
    "Gigabytes": "GBy",
    "Bits": "bit",
    "Percent": "%",
    "Count": "1",
}
"""UCUM's symbols; other units are in the names."""
_TIMEOUT_SECONDS = 10.0
_RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0)
_RETRIED = frozenset({429, 502, 503, 504})


class Send(Protocol):
    """http.client.request"""

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = ..., seconds: float
    ) -> Response: ...


Document = dict[str, Any]


def export_request(
    families: Iterable[Family], readings: Sequence[Reading], *, start: float, now: float
) -> Document:
    """An ExportMetricsServiceRequest. `start` and `now` are epoch seconds."""
    times = {"startTimeUnixNano": str(int(start * 1e9)), "timeUnixNano": str(int(now * 1e9))}
    metrics = [_metric(family, times) for family in families]
    metrics += [_reading(reading, times) for reading in readings]
    resource = {"attributes": _attributes((("service.name", "lambent"),))}
    return {
        "resourceMetrics": [
            {"resource": resource, "scopeMetrics": [{"scope": {"name": "lambent"}, "metrics": metrics}]}
        ]
    }


def _metric(family: Family, times: Document) -> Document:
    metric: Document = {
        "name": family.name,
        "description": family.says,
        "unit": _UNITS.get(family.unit, ""),
    }
    if family.is_counter:
        points = [
            {"attributes": _attributes(labels), **times, "asDouble": tally.sum}
            for labels, tally in family.series.items()
        ]
        metric["sum"] = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
    else:
        points = [_histogram_point(labels, tally, times) for labels, tally in family.series.items()]
        metric["histogram"] = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE}
    return metric


def _histogram_point(labels: Labels, tally: Tally, times: Document) -> Document:
    """With one bucket for everything: how values spread is not kept since the start."""
    count = str(int(tally.count))
    return {
        "attributes": _attributes(labels),
        **times,
        "count": count,
        "sum": tally.sum,
        "min": tally.minimum,
        "max": tally.maximum,
        "bucketCounts": [count],
        "explicitBounds": [],
    }


def _reading(reading: Reading, times: Document) -> Document:
    points = [{"attributes": _attributes(reading.labels), **times, "asDouble": reading.value}]
    metric: Document = {"name": reading.name, "description": reading.says}
    if reading.monotonic:
        metric["sum"] = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
    else:
        metric["gauge"] = {"dataPoints": points}
    return metric


def _attributes(labels: Labels) -> list[Document]:
    return [{"key": name, "value": {"stringValue": text}} for name, text in labels]


class OtlpExport:
    """Pushes to `endpoint`/v1/metrics every `interval_seconds`. A collector that is away is waited for, and told of in
    the log once; nothing else is different then."""

    def __init__(
        self,
        read: Callable[[], Awaitable[tuple[Iterable[Family], Sequence[Reading]]]],
        send: Send,
        clock: Clock,
        *,
        endpoint: str,
        interval_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read = read
        self._send = send
        self._clock = clock
        self._url = endpoint.rstrip("/") + "/v1/metrics"
        self._interval_seconds = interval_seconds
        self._sleep = sleep
        self._start = clock.now()
        self._failing = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._sleep(self._interval_seconds)
            try:
                await self.push()
            except Exception:  # measuring must not end for what we do not know about collectors
                log.exception("metrics were not pushed to %s", self._url)

    async def push(self) -> None:
        families, readings = await self._read()
        body = orjson.dumps(export_request(families, readings, start=self._start, now=self._clock.now()))
        for pause in (*_RETRY_SECONDS, None):
            problem, again = await self._attempt(body)
            if problem is None or not again or pause is None:
                break
            await self._sleep(pause)
        self._tell(problem)

    async def _attempt(self, body: bytes) -> tuple[str | None, bool]:
        """What was wrong, if anything, and whether it may be better soon."""
        try:
            response = await self._send(
                "POST",
                self._url,
                headers={"Content-Type": "application/json", "User-Agent": "lambent"},
                body=body,
                seconds=_TIMEOUT_SECONDS,
            )
        except RequestFailedError as error:
            return str(error), True
        if 200 <= response.status < 300:
            return None, False
        return f"it answered {response.status}", response.status in _RETRIED

    def _tell(self, problem: str | None) -> None:
        if problem is not None and not self._failing:
            log.warning("metrics do not reach %s: %s; tried again at every interval", self._url, problem)
        if problem is None and self._failing:
            log.info("metrics reach %s again", self._url)
        self._failing = problem is not None
