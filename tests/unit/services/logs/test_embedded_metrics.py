"""The Embedded Metric Format: what a message measures, and what of it is no measurement."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.logs.embedded_metrics import Embedded, EmbeddedMetric, embedded, may_have_metrics


def message(directive: dict[str, Any], **root: Any) -> str:
    return json.dumps({"_aws": {"Timestamp": 1_700_000_000_123, "CloudWatchMetrics": [directive]}, **root})


DIRECTIVE = {
    "Namespace": "orders",
    "Dimensions": [["service"], ["service", "kind"], []],
    "Metrics": [{"Name": "time", "Unit": "Milliseconds", "StorageResolution": 60}, {"Name": "sizes"}],
}


def read(text: str) -> Embedded:
    assert may_have_metrics(text)
    found = embedded(text)
    assert found is not None
    return found


def test_every_dimension_set_is_a_metric_of_its_own_and_an_array_is_several_values() -> None:
    found = read(message(DIRECTIVE, service="s", kind="k", time=12, sizes=[1, 2.5], other="x"))
    sets = [{"service": "s"}, {"service": "s", "kind": "k"}, {}]
    assert found == Embedded(
        timestamp_ms=1_700_000_000_123,
        metrics=[
            EmbeddedMetric("orders", "time", "Milliseconds", [12.0], sets),
            EmbeddedMetric("orders", "sizes", "None", [1.0, 2.5], sets),
        ],
    )


@pytest.mark.parametrize(
    ("change", "root"),
    [
        ({"Namespace": None}, {}),
        ({"Namespace": "n" * 257}, {}),
        ({"Dimensions": None}, {}),
        ({"Dimensions": ["service"]}, {}),
        ({"Dimensions": [["absent"]]}, {}),
        ({"Dimensions": [["service"] * 31]}, {}),
        ({}, {"service": 3}),
        ({"Metrics": [{"Name": "time"}] * 101}, {}),
        ({"Metrics": [{"Name": "time", "Unit": "Parsecs"}]}, {}),
        ({"Metrics": [{"Name": "time", "StorageResolution": 5}]}, {}),
        ({"Metrics": [{"Name": "absent"}]}, {}),
        ({"Metrics": ["time"]}, {}),
        ({}, {"time": "12"}),
        ({}, {"time": True}),
        ({}, {"time": [1] * 101}),
        ({}, {"time": []}),
    ],
)
def test_a_definition_against_the_rules_is_counted_and_left_out(
    change: dict[str, Any], root: dict[str, Any]
) -> None:
    plain = {"Namespace": "orders", "Dimensions": [["service"]], "Metrics": [{"Name": "time"}]}
    found = read(message({**plain, **change}, **{"service": "s", "time": 1, **root}))
    assert (found.validation_errors, found.metrics) == (1, [])


def test_what_is_right_beside_what_is_wrong_is_measured() -> None:
    found = read(message(DIRECTIVE, service="s", kind="k", time="soon", sizes=3))
    assert found.validation_errors == 1
    assert [metric.name for metric in found.metrics] == ["sizes"]


def test_json_that_breaks_off_is_a_parsing_error() -> None:
    assert read(message(DIRECTIVE)[:-1]).parsing_errors == 1


@pytest.mark.parametrize(
    "text",
    [
        'said "_aws" and "CloudWatchMetrics"',
        json.dumps({"inner": {"_aws": {"CloudWatchMetrics": []}}}),
        json.dumps({"_aws": "x", "CloudWatchMetrics": 1}),
    ],
)
def test_other_messages_measure_nothing(text: str) -> None:
    assert embedded(text) is None


def test_a_line_without_the_marks_is_not_looked_into() -> None:
    assert not may_have_metrics('{"aws": 1}')


LEAF = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["a", "", "Count"])
ODD = LEAF | st.lists(LEAF, max_size=3) | st.lists(st.lists(LEAF, max_size=2), max_size=2)
METRIC = st.fixed_dictionaries({}, optional={"Name": ODD, "Unit": ODD, "StorageResolution": ODD})
DIRECTIVES = st.fixed_dictionaries(
    {}, optional={"Namespace": ODD, "Dimensions": ODD, "Metrics": ODD | st.lists(METRIC | LEAF, max_size=2)}
)


@given(ODD | st.lists(DIRECTIVES | LEAF, max_size=2), ODD)
def test_nothing_that_a_function_prints_is_our_failure(metrics: Any, value: Any) -> None:
    found = embedded(json.dumps({"_aws": {"Timestamp": value, "CloudWatchMetrics": metrics}, "a": value}))
    assert found is not None
    for metric in found.metrics:
        assert all(isinstance(value, float) for value in metric.values)
