"""Metric filters: what may be put, how they are listed, and what each makes of an event."""

from typing import Any, cast

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.model.metric_filter import MetricFilter, MetricTransformation
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.groups import Groups
from lambent.services.logs.metric_filters.compile import Measurement, compile_filter
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.metric_filters.operations import MetricFilterOperations
from lambent.store.ports.logs import LogGroup, LogStore

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    partition="aws",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
)
COUNT = {"metricName": "Errors", "metricNamespace": "App", "metricValue": "1"}


class TwoGroups:
    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup | None:
        known = name in ("/a", "/b")
        return LogGroup(account_id=account_id, region=region, name=name, created_ms=0) if known else None


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords(MemoryDeliveries())


@pytest.fixture
def operations(records: MemoryRecords) -> MetricFilterOperations:
    groups = Groups(cast(LogStore, TwoGroups()))
    return MetricFilterOperations(KnownMetricFilters(records), groups, ManualClock())


def given(name: str = "f", *, group: str = "/a", pattern: str = "ERROR", **changed: Any) -> dict[str, Any]:
    """`changed` is what differs in the transformation."""
    return {
        "logGroupName": group,
        "filterName": name,
        "filterPattern": pattern,
        "metricTransformations": [{**COUNT, **changed}],
    }


async def test_a_filter_is_described_as_it_was_put(operations: MetricFilterOperations) -> None:
    await operations.put_metric_filter(CALLER, given(defaultValue=0.0, unit="Count"))
    answer = await operations.describe_metric_filters(CALLER, {"logGroupName": "/a"})
    assert answer == {
        "metricFilters": [
            {
                "filterName": "f",
                "filterPattern": "ERROR",
                "metricTransformations": [{**COUNT, "defaultValue": 0.0, "unit": "Count"}],
                "creationTime": 1_700_000_000_000,
                "logGroupName": "/a",
                "applyOnTransformedLogs": False,
            }
        ]
    }


async def test_putting_again_replaces_and_deleting_deletes(
    operations: MetricFilterOperations, records: MemoryRecords
) -> None:
    await operations.put_metric_filter(CALLER, given())
    await operations.put_metric_filter(CALLER, given(pattern="WARN"))
    (entry,) = (await operations.describe_metric_filters(CALLER, {}))["metricFilters"]
    assert entry["filterPattern"] == "WARN"
    await operations.delete_metric_filter(CALLER, {"logGroupName": "/a", "filterName": "f"})
    assert records.values == {}
    assert await operations.describe_metric_filters(CALLER, {}) == {"metricFilters": []}


async def test_pages_go_by_name_over_all_groups(operations: MetricFilterOperations) -> None:
    for name, group in (("c", "/a"), ("a", "/b"), ("b", "/a"), ("a", "/a")):
        await operations.put_metric_filter(CALLER, given(name, group=group))
    seen, token = [], {}
    while True:
        page = await operations.describe_metric_filters(CALLER, {"limit": 3, **token})
        seen += [(entry["filterName"], entry["logGroupName"]) for entry in page["metricFilters"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert seen == [("a", "/a"), ("a", "/b"), ("b", "/a"), ("c", "/a")]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"logGroupName": "/a"}, ["ab", "x"]),
        ({"logGroupName": "/a", "filterNamePrefix": "a"}, ["ab"]),
        ({"filterNamePrefix": "a"}, ["ab", "ac", "x"]),
        ({"metricName": "Errors", "metricNamespace": "App"}, ["ab", "x"]),
        ({"metricName": "Errors", "metricNamespace": "Other"}, []),
    ],
)
async def test_lists_are_narrowed(
    operations: MetricFilterOperations, parameters: dict[str, Any], names: list[str]
) -> None:
    await operations.put_metric_filter(CALLER, given("x"))
    await operations.put_metric_filter(CALLER, given("ab"))
    await operations.put_metric_filter(CALLER, given("ac", group="/b", metricName="Else"))
    found = await operations.describe_metric_filters(CALLER, parameters)
    assert [entry["filterName"] for entry in found["metricFilters"]] == names


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        (given(pattern="{ $.a = "), "pattern starts with '{' it must end"),
        (given(dimensions={"d": "$.d"}), "The specified filter pattern does not support dimensions"),
        (
            given(pattern="{ $.d = * }", dimensions={"d": "$.d"}, defaultValue=0.0),
            "dimensions and default value are mutually exclusive properties",
        ),
        (given(pattern="{ $.d = * }", dimensions={str(n): "$.d" for n in range(4)}), "at most 3 dimensions"),
        (given(pattern="{ $.d = * }", dimensions={":d": "$.d"}), "invalid dimension name ':d'"),
        (given(pattern="{ $.d = * }", dimensions={"d": "constant"}), "'constant' is neither a number nor"),
        (given(pattern="[a, b]", metricValue="$c"), r"'\$c' is neither a number nor"),
        (given(pattern="[a, b]", metricValue="$3"), r"'\$3' is neither a number nor"),
        (given(metricValue="many"), "'many' is neither a number nor"),
        (given(defaultValue=float("nan")), "default value is not a number"),
        ({**given(), "applyOnTransformedLogs": True}, "transforms no logs"),
        ({**given(), "fieldSelectionCriteria": '@aws.region = "x"'}, "centralizes no logs"),
        ({**given(), "emitSystemFieldDimensions": ["@aws.host"]}, "Invalid system field '@aws.host'"),
    ],
)
async def test_what_cannot_be_counted_is_refused(
    operations: MetricFilterOperations, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidParameterException, match=says):
        await operations.put_metric_filter(CALLER, parameters)


async def test_what_is_not_there_is_said(operations: MetricFilterOperations) -> None:
    with pytest.raises(ResourceNotFoundException, match="log group does not exist"):
        await operations.put_metric_filter(CALLER, given(group="/none"))
    with pytest.raises(ResourceNotFoundException, match="log group does not exist"):
        await operations.describe_metric_filters(CALLER, {"logGroupName": "/none"})
    with pytest.raises(ResourceNotFoundException, match="metric filter does not exist"):
        await operations.delete_metric_filter(CALLER, {"logGroupName": "/a", "filterName": "f"})
    with pytest.raises(InvalidParameterException, match="must also include the metricNamespace"):
        await operations.describe_metric_filters(CALLER, {"metricName": "Errors"})


async def test_a_group_has_a_hundred(operations: MetricFilterOperations) -> None:
    for number in range(100):
        await operations.put_metric_filter(CALLER, given(f"f{number}"))
    await operations.put_metric_filter(CALLER, given("f7", pattern="replaced"))
    with pytest.raises(LimitExceededException, match="Resource limit exceeded"):
        await operations.put_metric_filter(CALLER, given("one more"))
    await operations.put_metric_filter(CALLER, given("one more", group="/b"))


async def test_they_are_known_again_after_a_start(
    operations: MetricFilterOperations, records: MemoryRecords
) -> None:
    await operations.put_metric_filter(CALLER, given())
    known = KnownMetricFilters(records)
    await known.open()
    key = (CALLER.account_id, CALLER.region, "/a")
    assert [name for name, _ in known.of_group(key)] == ["f"]
    await known.delete_group(key)
    assert (known.count(key), records.values) == (0, {})


@pytest.mark.parametrize(
    ("pattern", "value", "dimensions", "message", "measured"),
    [
        ("ERROR", "2.5", {}, "ERROR: x", Measurement(2.5, {})),
        ("{ $.ms = * }", "$.ms", {}, '{"ms": 12}', Measurement(12.0, {})),
        ("{ $.ms = * }", "$.ms", {}, '{"ms": "12"}', Measurement(12.0, {})),
        ("{ $.ms = * }", "$.ms", {}, '{"ms": "soon"}', None),
        ("{ $.k = * }", "$.ms", {}, '{"k": 1, "ms": 3}', Measurement(3.0, {})),
        (
            "{ $.ms >= 1 }",
            "$.ms",
            {"Kind": "$.k.n"},
            '{"ms": 1, "k": {"n": true}}',
            Measurement(1, {"Kind": "true"}),
        ),
        ("{ $.ms >= 1 }", "1", {"Kind": "$.kind"}, '{"ms": 1}', None),
        ("[ip, ..., size]", "$size", {"Ip": "$ip"}, "10.0.0.1 GET 77", Measurement(77.0, {"Ip": "10.0.0.1"})),
        ("[ip, , size]", "1", {"Verb": "$2"}, "10.0.0.1 GET 77", Measurement(1.0, {"Verb": "GET"})),
    ],
)
def test_an_event_is_measured(
    pattern: str, value: str, dimensions: dict[str, str], message: str, measured: Measurement | None
) -> None:
    transformation = MetricTransformation(
        metric_name="m", metric_namespace="n", metric_value=value, dimensions=dimensions
    )
    compiled = compile_filter(MetricFilter(pattern=pattern, transformation=transformation, created_ms=0))
    assert compiled.pattern.matches(message)
    assert compiled.measure(message) == measured
