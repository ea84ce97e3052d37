import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.event_sources.filters import Filters


def wants(record, *patterns: object) -> bool:
    return Filters([json.dumps(pattern) for pattern in patterns], "body").wants(record)


@pytest.mark.parametrize(
    ("body", "pattern", "wanted"),
    [
        # As the table of AWS's page has it: by what the body is, and what the pattern says of it.
        ("hello", {"body": ["hello"]}, True),
        ("hello", {"body": [{"prefix": "he"}]}, True),
        ("hello", {"body": {"a": [1]}}, False),
        ("hello", {"body": {"a": [{"exists": False}]}}, False),
        ("hello", {"attributes": {"SenderId": ["me"]}}, True),
        ('{"a": 1}', {"body": {"a": [1]}}, True),
        ('{"a": 2}', {"body": {"a": [1]}}, False),
        ('{"a": {"b": [1, 2]}}', {"body": {"a": {"b": [2]}}}, True),
        ('{"a": 1}', {"body": ['{"a": 1}']}, False),
        ('{"a": 1}', {"body": [{"anything-but": "x"}]}, False),
        ('{"a": 1}', {"attributes": {"SenderId": ["me"]}}, True),
        ('[{"a": 1}]', {"body": {"a": [1]}}, True),
        ("42", {"body": ["42"]}, True),
        ('"x"', {"body": ['"x"']}, True),
        ("{broken", {"body": ["{broken"]}, True),
        ("x", {"$or": [{"body": ["x"]}, {"body": {"a": [1]}}]}, True),
        ('{"a": 1}', {"$or": [{"body": ["x"]}, {"body": {"a": [1]}}]}, True),
        ('{"a": 2}', {"$or": [{"body": ["x"]}, {"body": {"a": [1]}}]}, False),
        ("x", {"body": ["x"], "attributes": {"SenderId": ["other"]}}, False),
        ("x", {"messageAttributes": {"kind": {"stringValue": ["good"]}}}, True),
        ("x", {"messageAttributes": {"kind": {"stringValue": ["bad"]}}}, False),
    ],
)
def test_bodies_and_patterns(record_of, body, pattern, wanted):
    record = record_of(
        data=body,
        attributes={"SenderId": "me"},
        messageAttributes={"kind": {"stringValue": "good", "dataType": "String"}},
    )
    assert wants(record, pattern) is wanted


def test_any_filter_is_enough_and_none_wants_all(record_of):
    record = record_of(data="x")
    assert wants(record)
    assert wants(record, {"body": ["y"]}, {"body": ["x"]})
    assert not wants(record, {"body": ["y"]}, {"body": ["z"]})


@given(st.text(max_size=30))
def test_every_body_is_wanted_or_not(text):
    from lambent.event_sources.source import Record

    record = Record(id="1", payload={"body": text}, text=b"", data=text, handle="")
    same = Filters([json.dumps({"body": [text]})], "body").wants(record)
    try:
        decoded = json.loads(text)
    except ValueError:
        decoded = None
    assert same is not isinstance(decoded, (dict, list))
