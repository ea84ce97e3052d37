"""What was counted since the start, as OpenTelemetry takes it, and a collector that is not always there."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from lambent.base.clock import ManualClock
from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.model.tally import MetricKey, Tally
from lambent.services.cloudwatch.families import Family, Reading, families
from lambent.services.cloudwatch.otlp import OtlpExport, export_request

KEY = MetricKey(account_id="1", region="r", namespace="AWS/Lambda", name="Duration")
ATTRIBUTES = [
    {"key": "account_id", "value": {"stringValue": "1"}},
    {"key": "region", "value": {"stringValue": "r"}},
]
TIMES = {"startTimeUnixNano": "10000000000", "timeUnixNano": "70000000000"}


def totals(unit: str) -> dict[tuple[MetricKey, str], Tally]:
    tally = Tally(values=None)
    tally.add(2)
    tally.add(3)
    return {(KEY, unit): tally}


def metrics(unit: str) -> Any:
    readings = [Reading(name="up", says="Up.", value=1.0)]
    made = export_request(families(totals(unit)), readings, start=10, now=70)
    return made["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]


def test_a_count_is_a_monotonic_sum_since_the_start() -> None:
    count, reading = metrics("Count")
    assert count["sum"] == {
        "dataPoints": [{"attributes": ATTRIBUTES, **TIMES, "asDouble": 5.0}],
        "aggregationTemporality": 2,
        "isMonotonic": True,
    }
    assert reading["gauge"] == {"dataPoints": [{"attributes": [], **TIMES, "asDouble": 1.0}]}


def test_a_duration_is_a_histogram_with_one_bucket() -> None:
    duration = metrics("Milliseconds")[0]
    assert (duration["name"], duration["unit"]) == ("aws_lambda_duration_milliseconds", "ms")
    (point,) = duration["histogram"]["dataPoints"]
    assert point == {
        "attributes": ATTRIBUTES,
        **TIMES,
        "count": "2",
        "sum": 5.0,
        "min": 2,
        "max": 3,
        "bucketCounts": ["2"],
        "explicitBounds": [],
    }


class Collector:
    """Answers with each of `answers` in turn: a status, or None for no answer at all."""

    def __init__(self, *answers: int | None) -> None:
        self._answers = list(answers)
        self.slept: list[float] = []
        self.bodies: list[Any] = []
        clock = ManualClock(10.0)
        self.export = OtlpExport(
            self._read,
            self._send,
            clock,
            endpoint="http://127.0.0.1:4318/",
            interval_seconds=60,
            sleep=self._sleep,
        )

    async def _read(self) -> tuple[Iterable[Family], Sequence[Reading]]:
        return families(totals("Count")), []

    async def _send(
        self, method: str, url: str, *, headers: Any, body: bytes = b"", seconds: float
    ) -> Response:
        assert (method, url) == ("POST", "http://127.0.0.1:4318/v1/metrics")
        assert headers["Content-Type"] == "application/json"
        self.bodies.append(json.loads(body))
        answer = self._answers.pop(0)
        if answer is None:
            raise RequestFailedError("connection refused")
        return Response(answer)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_push_is_repeated_where_it_may_help() -> None:
    collector = Collector(None, 503, 200)
    await collector.export.push()
    assert collector.slept == [1.0, 2.0]
    assert collector.bodies[0] == collector.bodies[2]


async def test_a_push_is_given_up_after_five_attempts() -> None:
    collector = Collector(*[None] * 5)
    await collector.export.push()
    assert collector.slept == [1.0, 2.0, 4.0, 8.0]


async def test_a_refused_push_is_not_repeated() -> None:
    collector = Collector(400)
    await collector.export.push()
    assert collector.slept == []
