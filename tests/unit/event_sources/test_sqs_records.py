from typing import Any

import pytest

from lambent.event_sources.sqs import SqsSource
from lambent.model.caller import Caller, Parameters

ARN = "arn:aws:sqs:us-east-1:123456789012:q"
MESSAGE = {
    "MessageId": "m1",
    "ReceiptHandle": "h1",
    "Body": "hello",
    "MD5OfBody": "5d41402abc4b2a76b9719d911017c592",
    "Attributes": {"ApproximateReceiveCount": "1", "AWSTraceHeader": "Root=1", "MessageGroupId": "g"},
}


async def record_of(message: dict[str, Any], arn: str = ARN, **settings: Any) -> Any:
    async def client(service: str, operation: str, caller: Caller, parameters: Parameters) -> Parameters:
        assert (service, operation) == ("sqs", "ReceiveMessage")
        assert parameters["QueueUrl"].endswith(f"/123456789012/{arn.rpartition(':')[2]}")
        return {"Messages": [message]}

    async def session() -> Any:
        return None

    [record] = await SqsSource(arn, client, session, **settings).poll(most=1, wait_seconds=0.0)
    return record


async def test_a_message_is_a_record():
    record = await record_of(MESSAGE)
    assert record.payload == {
        "messageId": "m1",
        "receiptHandle": "h1",
        "body": "hello",
        "attributes": MESSAGE["Attributes"],
        "messageAttributes": {},
        "md5OfBody": MESSAGE["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN,
        "awsRegion": "us-east-1",
    }
    assert (record.id, record.handle, record.data) == ("m1", "h1", "hello")
    assert record.trace_header == "Root=1"


async def test_attributes_and_their_md5():
    attributes = {
        "Kind": {"DataType": "Number", "StringValue": "7"},
        "Raw": {"DataType": "Binary.png", "BinaryValue": b"\x00\x01"},
    }
    record = await record_of({**MESSAGE, "MessageAttributes": attributes, "MD5OfMessageAttributes": "d2"})
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    assert record.payload["messageAttributes"] == {
        "Kind": {"stringValue": "7", **lists, "dataType": "Number"},
        "Raw": {"binaryValue": "AAE=", **lists, "dataType": "Binary.png"},
    }
    assert list(record.payload)[4:7] == ["messageAttributes", "md5OfMessageAttributes", "md5OfBody"]


async def test_batches_of_a_window_show_that_there_is_no_md5():
    record = await record_of(MESSAGE, with_window=True)
    assert record.payload["md5OfMessageAttributes"] is None


@pytest.mark.parametrize(("arn", "group"), [(ARN, None), (ARN + ".fifo", "g")])
async def test_only_queues_with_an_order_have_groups(arn, group):
    assert (await record_of(MESSAGE, arn)).group == group
