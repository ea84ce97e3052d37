"""Responses that are streams of events, as botocore reads them."""

import struct
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from botocore.parsers import create_parser

from lambent.http.message import Response
from lambent.model.error import ServiceException
from lambent.wire.event_stream import encode_frame
from lambent.wire.service import load_service


class ResourceNotFoundException(ServiceException):
    pass


class SessionTimeoutException(ServiceException):
    pass


class Collected:
    """What botocore takes for a connection's raw body."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def stream(self) -> Any:
        yield from self._chunks

    def close(self) -> None:
        pass


async def events_of(
    *events: dict[str, Any], failure: Exception | None = None
) -> AsyncIterator[dict[str, Any]]:
    for event in events:
        yield event
    if failure is not None:
        raise failure


async def receive(service: str, operation: str, output: dict[str, Any]) -> tuple[Response, dict[str, Any]]:
    wire = load_service(service)
    protocol = next(iter(wire.protocols))
    response = wire._compile(protocol, operation).serialize(output, "request-1")
    assert not isinstance(response.body, bytes)
    chunks = [chunk async for chunk in response.body]
    raw = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": Collected(chunks),
        "context": {"operation_name": operation},
    }
    shape = wire.model.operation_model(operation).output_shape
    return response, create_parser(protocol).parse(raw, shape)


async def test_lambda_response_stream() -> None:
    chunks = [{"PayloadChunk": {"Payload": payload}} for payload in (b"one", b"")]
    stream = events_of(*chunks, {"InvokeComplete": {}})
    output = {"ExecutedVersion": "1", "ResponseStreamContentType": "text/html", "EventStream": stream}
    response, parsed = await receive("lambda", "InvokeWithResponseStream", output)
    assert ("Content-Type", "text/html") in response.headers
    assert parsed["ExecutedVersion"] == "1"
    assert list(parsed["EventStream"]) == [*chunks, {"InvokeComplete": {}}]


async def test_stream_content_type() -> None:
    output = {"StatusCode": 200, "EventStream": events_of()}
    response, _ = await receive("lambda", "InvokeWithResponseStream", output)
    assert ("Content-Type", "application/vnd.amazon.eventstream") in response.headers


async def test_a_structure_is_a_json_payload_after_the_initial_response() -> None:
    start = {"requestId": "r", "sessionId": "s", "logGroupIdentifiers": ["g"]}
    update = {"sessionMetadata": {"sampled": True}, "sessionResults": [{"message": "m", "timestamp": 1}]}
    stream = events_of({"sessionStart": start}, {"sessionUpdate": update})
    response, parsed = await receive("logs", "StartLiveTail", {"responseStream": stream})
    assert ("Content-Type", "application/vnd.amazon.eventstream") in response.headers
    assert list(parsed["responseStream"]) == [{"sessionStart": start}, {"sessionUpdate": update}]


async def test_timestamps_and_blobs_inside_events() -> None:
    moment = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
    record = {
        "SequenceNumber": "1",
        "Data": b"\x00\xff",
        "PartitionKey": "p",
        "ApproximateArrivalTimestamp": moment,
    }
    event = {
        "SubscribeToShardEvent": {
            "Records": [record],
            "ContinuationSequenceNumber": "2",
            "MillisBehindLatest": 0,
        }
    }
    _, parsed = await receive("kinesis", "SubscribeToShard", {"EventStream": events_of(event)})
    assert list(parsed["EventStream"]) == [event]


async def test_xml_and_raw_events() -> None:
    stats = {"Stats": {"Details": {"BytesScanned": 1, "BytesReturned": 2}}}
    stream = events_of({"Records": {"Payload": b"a,b"}}, stats, {"End": {}})
    _, parsed = await receive("s3", "SelectObjectContent", {"Payload": stream})
    assert list(parsed["Payload"]) == [{"Records": {"Payload": b"a,b"}}, stats, {"End": {}}]


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (SessionTimeoutException("too long"), "SessionTimeoutException", "too long"),
        (ResourceNotFoundException("gone"), "ResourceNotFoundException", "gone"),
        (RuntimeError("secret"), "InternalFailure", "An internal error occurred."),
    ],
    ids=["modeled", "not modeled", "a bug"],
)
async def test_failure_midway(failure: Exception, code: str, message: str) -> None:
    start = {"sessionStart": {"requestId": "r"}}
    _, parsed = await receive("logs", "StartLiveTail", {"responseStream": events_of(start, failure=failure)})
    stream = iter(parsed["responseStream"])
    assert next(stream) == start
    with pytest.raises(EventStreamError) as caught:
        next(stream)
    assert caught.value.response["Error"] == {"Code": code, "Message": message}


async def test_a_caller_that_hangs_up_ends_the_operation() -> None:
    ended = []

    async def endless() -> AsyncIterator[dict[str, Any]]:
        try:
            while True:
                yield {"PayloadChunk": {"Payload": b"x"}}
        finally:
            ended.append(True)

    compiled = load_service("lambda")._compile("rest-json", "InvokeWithResponseStream")
    body = compiled.serialize({"EventStream": endless()}, "r").body
    assert not isinstance(body, bytes)
    await anext(body)
    await body.aclose()  # type: ignore[attr-defined]
    assert ended == [True]


def test_frame_layout() -> None:
    frame = encode_frame({":a": "b"}, b"payload")
    total, head = struct.unpack(">II", frame[:8])
    assert (total, head) == (len(frame), 7)
    assert struct.unpack(">I", frame[8:12])[0] == zlib.crc32(frame[:8])
    assert frame[12:19] == b"\x02:a\x07\x00\x01b"
    assert struct.unpack(">I", frame[-4:])[0] == zlib.crc32(frame[:-4])


def test_every_type_of_header() -> None:
    moment = datetime(2026, 1, 1, 0, 0, 0, 5000, tzinfo=UTC)
    headers = {"t": True, "f": False, "i": -5, "l": 2**40, "b": b"\x00", "s": "é", "d": moment}
    buffer = EventStreamBuffer()
    buffer.add_data(encode_frame(headers, b""))
    (event,) = list(buffer)
    milliseconds = event.headers.pop("d")
    assert event.headers == {key: value for key, value in headers.items() if key != "d"}
    assert milliseconds == 1767225600005
    with pytest.raises(TypeError):
        encode_frame({"x": 1.5}, b"")
