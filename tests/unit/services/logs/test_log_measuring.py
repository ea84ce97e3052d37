"""What is measured when log events come in."""

import json

from memory_records import MemoryDeliveries, MemoryRecords
from noted_metrics import Noted, NotedMetrics

from lambent.base.clock import ManualClock
from lambent.model.metric_filter import MetricFilter, MetricTransformation
from lambent.services.logs.measuring import LogMeasuring
from lambent.services.logs.metric_filters.compile import compile_filter
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.store.ports.logs import LogEvent
from lambent.store.ports.named_records import Name

ACCOUNT, REGION, GROUP = KEY = ("123456789012", "eu-west-1", "/a")
NOON = 1_700_000_040.0
"""A whole minute."""


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.metrics = NotedMetrics()
        self.known = KnownMetricFilters(MemoryRecords(MemoryDeliveries()))
        self.measuring = LogMeasuring(self.known, self.metrics, self.clock)

    async def put_filter(
        self, pattern: str, *, default: float | None = None, system_fields: tuple[str, ...] = ()
    ) -> None:
        transformation = MetricTransformation(
            metric_name="Errors",
            metric_namespace="App",
            metric_value="1",
            default_value=default,
            unit="Count",
        )
        filter = MetricFilter(
            pattern=pattern, transformation=transformation, created_ms=0, system_fields=system_fields
        )
        await self.known.put(Name(*KEY, "f"), compile_filter(filter), most=100)

    async def log(self, *messages: str, at: float = NOON, group: str = GROUP) -> None:
        events = [LogEvent(int(at * 1000), int(at * 1000), message) for message in messages]
        await self.measuring.measure([(ACCOUNT, REGION, group, "s", events)])


async def test_every_matching_event_counts_in_the_minute_of_its_timestamp() -> None:
    bench = Bench()
    await bench.put_filter("ERROR")
    await bench.log("ERROR 1", "fine", "ERROR 2", at=NOON - 3600)
    await bench.log("ERROR elsewhere", group="/b")
    assert bench.metrics.of("App") == [Noted("App", "Errors", 1.0, "Count", {}, NOON - 3600)] * 2


async def test_system_fields_are_dimensions() -> None:
    bench = Bench()
    await bench.put_filter("", system_fields=("@aws.region",))
    await bench.log("x")
    assert [noted.dimensions for noted in bench.metrics.of("App")] == [{"@aws.region": REGION}]


async def test_what_came_in_is_counted_by_group_and_in_all() -> None:
    bench = Bench()
    await bench.log("four", "ü")
    assert bench.metrics.noted == [
        Noted("AWS/Logs", "IncomingLogEvents", 2, "None", {"LogGroupName": GROUP}),
        Noted("AWS/Logs", "IncomingBytes", 6, "Bytes", {"LogGroupName": GROUP}),
        Noted("AWS/Logs", "IncomingLogEvents", 2),
        Noted("AWS/Logs", "IncomingBytes", 6, "Bytes"),
    ]


async def test_a_minute_without_a_match_gets_the_default_value_once_and_when_it_is_over() -> None:
    bench = Bench()
    await bench.put_filter("ERROR", default=0.0)
    await bench.log("fine", "fine too")
    bench.clock.advance(30)
    bench.measuring.emit_defaults()
    assert bench.metrics.of("App") == []
    bench.clock.advance(40)
    bench.measuring.emit_defaults()
    await bench.log("late, of a minute that has its value")
    bench.clock.advance(60)
    bench.measuring.emit_defaults()
    assert bench.metrics.of("App") == [Noted("App", "Errors", 0.0, "Count", {}, NOON)]


async def test_a_minute_with_a_match_gets_no_default_value() -> None:
    bench = Bench()
    await bench.put_filter("ERROR", default=0.0)
    await bench.log("fine")
    await bench.log("ERROR")
    await bench.log("fine")
    bench.clock.advance(120)
    bench.measuring.emit_defaults()
    assert [noted.value for noted in bench.metrics.of("App")] == [1.0]


async def test_a_filter_that_was_deleted_has_no_default_value() -> None:
    bench = Bench()
    await bench.put_filter("ERROR", default=0.0)
    await bench.log("fine")
    await bench.known.delete_group(KEY)
    bench.clock.advance(120)
    bench.measuring.emit_defaults()
    assert bench.metrics.of("App") == []


async def test_embedded_metrics_are_measured_when_they_say() -> None:
    bench = Bench()
    directive = {"Namespace": "App", "Dimensions": [["k"], []], "Metrics": [{"Name": "ms", "Unit": "Count"}]}
    metadata = {"CloudWatchMetrics": [directive]}
    await bench.log(json.dumps({"_aws": metadata, "k": "v", "ms": [1, 2]}))
    later = {"Timestamp": int(NOON * 1000) + 1500, **metadata}
    await bench.log(json.dumps({"_aws": later, "k": "v", "ms": 3}))
    assert bench.metrics.of("App") == [
        Noted("App", "ms", [1.0, 2.0], "Count", {"k": "v"}, NOON),
        Noted("App", "ms", [1.0, 2.0], "Count", {}, NOON),
        Noted("App", "ms", [3.0], "Count", {"k": "v"}, NOON + 1.5),
        Noted("App", "ms", [3.0], "Count", {}, NOON + 1.5),
    ]


async def test_embedded_metrics_that_are_none_are_counted_as_errors() -> None:
    bench = Bench()
    await bench.log('{"_aws": {"CloudWatchMetrics": [', '{"_aws": {"CloudWatchMetrics": 1}}')
    errors = [noted for noted in bench.metrics.of("AWS/Logs") if noted.name.startswith("EMF")]
    assert errors == [
        Noted("AWS/Logs", "EMFParsingErrors", 1, dimensions={"LogGroupName": GROUP}),
        Noted("AWS/Logs", "EMFValidationErrors", 1, dimensions={"LogGroupName": GROUP}),
    ]
