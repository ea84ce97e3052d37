"""Streams and events, as boto3 and the commands of the AWS CLI see them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambent.base.clock import ManualClock

ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:"
HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def group(logs: Any) -> str:
    logs.create_log_group(logGroupName="app")
    for stream in ("a", "b", "other"):
        logs.create_log_stream(logGroupName="app", logStreamName=stream)
    return "app"


@pytest.fixture
def now_ms(clock: ManualClock) -> int:
    return int(clock.now() * 1000)


def put(logs: Any, stream: str, *events: tuple[int, str], **more: Any) -> Any:
    return logs.put_log_events(
        logGroupName="app",
        logStreamName=stream,
        logEvents=[{"timestamp": timestamp, "message": message} for timestamp, message in events],
        **more,
    )


def messages(page: Any) -> list[str]:
    return [event["message"] for event in page["events"]]


def test_streams_are_described_in_either_order(logs: Any, group: str, now_ms: int) -> None:
    put(logs, "b", (now_ms - 5, "first"), (now_ms, "last"))
    put(logs, "a", (now_ms - 9, "x"))

    def names(**parameters: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 2}, **parameters
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert names() == ["a", "b", "other"]
    assert names(descending=True) == ["other", "b", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["b", "a", "other"]
    assert names(orderBy="LastEventTime") == ["other", "a", "b"]
    assert names(logStreamNamePrefix="o") == ["other"]
    (stream,) = logs.describe_log_streams(logGroupIdentifier=ARN + group, logStreamNamePrefix="b")[
        "logStreams"
    ]
    assert len(stream.pop("uploadSequenceToken")) == 56
    assert stream == {
        "logStreamName": "b",
        "creationTime": now_ms,
        "firstEventTimestamp": now_ms - 5,
        "lastEventTimestamp": now_ms,
        "lastIngestionTime": now_ms,
        "arn": ARN + "app:log-stream:b",
        "storedBytes": 0,
    }


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (
            {"logGroupName": "app", "orderBy": "LastEventTime", "logStreamNamePrefix": "a"},
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ),
        ({"logGroupName": "app", "orderBy": "Size"}, "orderBy"),
        ({}, "Either"),
        ({"logGroupName": "app", "nextToken": "e30"}, "nextToken"),
    ],
)
def test_describing_streams_refuses(logs: Any, group: str, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(logs.exceptions.InvalidParameterException, match=said):
        logs.describe_log_streams(**parameters)


def test_a_group_is_given_by_name_or_by_identifier(logs: Any, group: str) -> None:
    with pytest.raises(ClientError, match="LogGroup name and LogGroup ARN are mutually exclusive") as error:
        logs.describe_log_streams(logGroupName="app", logGroupIdentifier="app")
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_stream_is_made_once_and_its_events_go_with_it(logs: Any, group: str, now_ms: int) -> None:
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException, match="log stream already exists"):
        logs.create_log_stream(logGroupName=group, logStreamName="a")
    put(logs, "a", (now_ms, "gone soon"))
    logs.delete_log_stream(logGroupName=group, logStreamName="a")
    for call in (
        lambda: logs.delete_log_stream(logGroupName=group, logStreamName="a"),
        lambda: logs.get_log_events(logGroupName=group, logStreamName="a"),
        lambda: logs.filter_log_events(logGroupName=group, logStreamNames=["a"]),
        lambda: put(logs, "a", (now_ms, "late")),
    ):
        with pytest.raises(
            logs.exceptions.ResourceNotFoundException, match="specified log stream does not exist"
        ):
            call()
    assert messages(logs.filter_log_events(logGroupName=group)) == []


def test_old_sequence_tokens_and_entities_do_no_harm(logs: Any, group: str, now_ms: int) -> None:
    answer = put(logs, "a", (now_ms, "x"), sequenceToken="49590302")
    again = put(
        logs, "a", (now_ms, "y"), sequenceToken=answer["nextSequenceToken"], entity={"attributes": {"a": "b"}}
    )
    assert again["rejectedEntityInfo"]["errorType"] == "UnsupportedLogGroupType"
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="a")) == ["x", "y"]


def test_events_too_old_or_too_new_are_left_out(logs: Any, group: str, now_ms: int) -> None:
    old, fine, new = now_ms - 14 * DAY_MS - 1, now_ms + 2 * HOUR_MS, now_ms + 2 * HOUR_MS + 1
    answer = put(logs, "a", (old, "old"), (fine, "fine"), (new, "new"))
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="a")) == ["fine"]


def test_events_beyond_retention_are_neither_taken_nor_shown(
    logs: Any, group: str, now_ms: int, clock: ManualClock
) -> None:
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    answer = put(logs, "a", (now_ms - DAY_MS - 1, "expired"), (now_ms - HOUR_MS, "kept"))
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert messages(logs.filter_log_events(logGroupName=group)) == ["kept"]
    clock.advance(23.5 * 3600)
    assert messages(logs.filter_log_events(logGroupName=group)) == []
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="a", startFromHead=True)) == []


def test_a_stream_is_read_forward_to_its_end_and_on(logs: Any, group: str, now_ms: int) -> None:
    put(logs, "a", *((now_ms + number // 2, f"m{number}") for number in range(5)))
    put(logs, "b", (now_ms, "not mine"))
    seen: list[str] = []
    parameters: dict[str, Any] = {"startFromHead": True, "limit": 2}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName="a", **parameters)
        seen += messages(page)
        if page["nextForwardToken"] == parameters.get("nextToken"):
            break
        parameters["nextToken"] = page["nextForwardToken"]
    assert seen == ["m0", "m1", "m2", "m3", "m4"]
    put(logs, "a", (now_ms + 9, "m5"))
    page = logs.get_log_events(logGroupName=group, logStreamName="a", **parameters)
    assert messages(page) == ["m5"]
    page = logs.get_log_events(
        logGroupName=group,
        logStreamName="a",
        nextToken=page["nextBackwardToken"],
        limit=2,
        startFromHead=True,
    )
    assert messages(page) == ["m3", "m4"]


def test_a_stream_is_read_backward_to_its_start(logs: Any, group: str, now_ms: int) -> None:
    put(logs, "a", *((now_ms + number, f"m{number}") for number in range(5)))
    page = logs.get_log_events(logGroupName=group, logStreamName="a", limit=2)
    pages = [messages(page)]
    while True:
        token = page["nextBackwardToken"]
        page = logs.get_log_events(logGroupName=group, logStreamName="a", limit=2, nextToken=token)
        if page["nextBackwardToken"] == token:
            break
        pages.append(messages(page))
    assert pages == [["m3", "m4"], ["m1", "m2"], ["m0"]]


def test_an_empty_stream_can_be_polled(logs: Any, group: str, now_ms: int) -> None:
    page = logs.get_log_events(logGroupName=group, logStreamName="a", startTime=now_ms)
    put(logs, "a", (now_ms, "came"))
    page = logs.get_log_events(logGroupName=group, logStreamName="a", nextToken=page["nextForwardToken"])
    assert page["events"] == [{"timestamp": now_ms, "message": "came", "ingestionTime": now_ms}]


def test_a_time_range_excludes_its_end_for_a_stream_and_includes_it_for_a_filter(
    logs: Any, group: str, now_ms: int
) -> None:
    put(logs, "a", *((now_ms + number, f"m{number}") for number in range(4)))
    span = {"startTime": now_ms + 1, "endTime": now_ms + 2}
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="a", **span)) == ["m1"]
    assert messages(logs.filter_log_events(logGroupName=group, **span)) == ["m1", "m2"]


def test_a_page_holds_one_mebibyte(logs: Any, group: str, now_ms: int) -> None:
    for number in range(3):
        put(logs, "a", (now_ms + number, str(number) * 400_000))
    page = logs.get_log_events(logGroupName=group, logStreamName="a", startFromHead=True)
    assert [message[0] for message in messages(page)] == ["0", "1"]
    page = logs.get_log_events(logGroupName=group, logStreamName="a", nextToken=page["nextForwardToken"])
    assert [message[0] for message in messages(page)] == ["2"]
    page = logs.get_log_events(logGroupName=group, logStreamName="a")
    assert [message[0] for message in messages(page)] == ["1", "2"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    assert [[message[0] for message in messages(page)] for page in pages] == [["0", "1"], ["2"]]


def test_filtering_merges_streams_and_pages(logs: Any, group: str, now_ms: int) -> None:
    put(logs, "a", *((now_ms + 2 * number, f"ERROR a{number}") for number in range(300)))
    put(logs, "b", *((now_ms + 2 * number + 1, f"fine b{number}") for number in range(300)))
    put(logs, "other", (now_ms + 1000, "ERROR other"))

    def found(**parameters: Any) -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **parameters)
        return [message for page in pages for message in messages(page)]

    merged = [text for number in range(300) for text in (f"ERROR a{number}", f"fine b{number}")]
    assert found(logStreamNames=["a", "b"], PaginationConfig={"PageSize": 70}) == merged
    assert len(found()) == 601
    assert found(filterPattern="ERROR -a1", logStreamNamePrefix="a", limit=50)[:3] == [
        "ERROR a0",
        "ERROR a2",
        "ERROR a3",
    ]
    assert found(filterPattern="[level=ERROR, who=other]") == ["ERROR other"]
    assert found(logStreamNamePrefix="none") == []
    newest_first = found(logStreamNames=["a", "b"], startFromHead=False, startTime=now_ms, limit=100)
    assert newest_first == merged[::-1]


def test_a_search_for_little_among_much_comes_in_partial_pages(
    logs: Any, group: str, now_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambent.services.logs.filter_events._SCANNED_EVENTS_MOST", 50)
    put(logs, "a", *((now_ms + number, f"m{number}") for number in range(300)))
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="m299"))
    assert [messages(page) for page in pages if page["events"]] == [["m299"]]
    assert pages[0]["events"] == []
    assert "nextToken" in pages[0]


def test_a_filtered_event_has_an_id_that_sorts_as_it_does(logs: Any, group: str, now_ms: int) -> None:
    put(logs, "a", (now_ms, "x"), (now_ms, "y"), (now_ms + 1, "z"))
    page = logs.filter_log_events(logGroupIdentifier=ARN + group, interleaved=True)
    ids = [event.pop("eventId") for event in page["events"]]
    assert ids == sorted(set(ids))
    assert {len(id_) for id_ in ids} == {56}
    assert page["events"][0] == {
        "logStreamName": "a",
        "timestamp": now_ms,
        "message": "x",
        "ingestionTime": now_ms,
    }
    assert page["searchedLogStreams"] == []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"filterPattern": "a:b"}, r"Invalid character\(s\) in term ':'"),
        ({"filterPattern": "{ $.a = 1"}, "must end with '}'"),
        ({"logStreamNames": ["a"], "logStreamNamePrefix": "a"}, "cannot both"),
        ({"nextToken": "x"}, "nextToken"),
        ({"startFromHead": False}, "startFromHead"),
    ],
)
def test_filtering_refuses(logs: Any, group: str, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(logs.exceptions.InvalidParameterException, match=said):
        logs.filter_log_events(logGroupName=group, **parameters)


def test_following_sees_each_event_once(logs: Any, group: str, now_ms: int) -> None:
    """What `aws logs tail --follow` does: FilterLogEvents to the end, then again from the newest time it has seen,
    leaving out the ids it has seen at that time."""
    shown: list[str] = []
    start, seen_ids = now_ms, set()

    def poll() -> None:
        nonlocal start
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, interleaved=True, startTime=start
        )
        for page in pages:
            for event in page["events"]:
                if event["eventId"] not in seen_ids:
                    shown.append(event["message"])
                    seen_ids.add(event["eventId"])
                    start = max(start, event["timestamp"])

    poll()
    put(logs, "a", (now_ms, "one"), (now_ms + 1, "two"))
    poll()
    put(logs, "b", (now_ms + 1, "three"))
    poll()
    poll()
    assert shown == ["one", "two", "three"]


def test_stored_bytes_count_what_aws_counts(logs: Any, group: str, now_ms: int) -> None:
    put(logs, "a", (now_ms, "é"), (now_ms, "xyz"))
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 2 + 3 + 2 * 26


def test_metric_filters_can_be_tried(logs: Any) -> None:
    answer = logs.test_metric_filter(
        filterPattern="[..., status=4*, bytes]", logEventMessages=["a 200 1", "b 404 2", "c 410 3"]
    )
    assert answer["matches"] == [
        {
            "eventNumber": 2,
            "eventMessage": "b 404 2",
            "extractedValues": {"$1": "b", "$status": "404", "$bytes": "2"},
        },
        {
            "eventNumber": 3,
            "eventMessage": "c 410 3",
            "extractedValues": {"$1": "c", "$status": "410", "$bytes": "3"},
        },
    ]
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.test_metric_filter(filterPattern="[", logEventMessages=["a"])


def test_live_tail_speaks_boto3s_event_stream(logs: Any, group: str, slept: list[float]) -> None:
    stream = logs.start_live_tail(
        logGroupIdentifiers=[ARN + group], logStreamNames=["a"], logEventFilterPattern="ERROR"
    )["responseStream"]
    events = iter(stream)
    start = next(events)["sessionStart"]
    assert start["logGroupIdentifiers"] == [ARN + group]
    assert start["logStreamNames"] == ["a"]
    assert start["logEventFilterPattern"] == "ERROR"
    assert next(events)["sessionUpdate"] == {"sessionMetadata": {"sampled": False}, "sessionResults": []}
    with pytest.raises(Exception, match="SessionTimeoutException"):
        list(events)
    assert slept == [1.0] * 3 * 3600
