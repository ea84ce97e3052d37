from datetime import UTC, datetime

import pytest

from lambent.model.error import ServiceException
from lambent.wire.exceptions import SerializationException
from lambent.wire.service import load_service


def test_members_may_begin_with_a_capital_and_blobs_are_text():
    read = load_service("lambda").read_plain("Invoke", {"FunctionName": "f", "Payload": '{"a": 1}'})
    assert read == {"FunctionName": "f", "Payload": b'{"a": 1}'}
    read = load_service("logs").read_plain("CreateLogGroup", {"LogGroupName": "/g", "Tags": {"a": "b"}})
    assert read == {"logGroupName": "/g", "tags": {"a": "b"}}


def test_times_are_text_or_seconds():
    entry = {"Source": "s", "Time": "2026-03-01T12:00:00Z", "Resources": ["r"], "Detail": None}
    read = load_service("events").read_plain("PutEvents", {"Entries": [entry]})
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert read == {"Entries": [{"Source": "s", "Time": noon, "Resources": ["r"]}]}
    entry = {**entry, "Time": noon.timestamp()}
    assert load_service("events").read_plain("PutEvents", {"Entries": [entry]}) == read


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"Entries": {}},
        {"Entries": [{"Source": 1}]},
        {"Entries": [{"Time": "noon"}]},
        {"Entries": [], "Nonsense": 1},
    ],
)
def test_what_does_not_fit_the_model_is_refused(value):
    with pytest.raises(SerializationException):
        load_service("events").read_plain("PutEvents", value)


def test_the_models_constraints_hold():
    with pytest.raises(ServiceException, match="MessageBody"):
        load_service("sqs").read_plain("SendMessage", {"QueueUrl": "u"})
