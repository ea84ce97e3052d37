import json
from dataclasses import replace

import pytest

from lambent.invoke.outcomes import (
    UndeliverableError,
    dead_letter_delivery,
    destination_delivery,
    error_message,
    record,
)
from lambent.model.invocation import EventInvocation, EventOutcome

EVENT = EventInvocation(
    request_id="r-1", account_id="123456789012", region="eu-west-1", function_name="f", qualifier=None,
    invoked_arn="arn", payload=b'{"a": 1.50}', trace_id="Root=1", accepted_at=1.0, due_at=1.0,
    response=b'{"errorMessage": "no"}',
)  # fmt: skip
FAILED = EventOutcome(
    condition="RetriesExhausted", at=1_700_000_000.1234, invoke_count=3, status_code=200,
    executed_version="$LATEST", function_error="Unhandled", error_message="no", role="arn",
)  # fmt: skip
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST"


def test_the_record_is_awss():
    assert record(EVENT, FAILED).decode() == (
        '{"version":"1.0","timestamp":"2023-11-14T22:13:20.123Z","requestContext":{"requestId":"r-1",'
        f'"functionArn":"{ARN}","condition":"RetriesExhausted","approximateInvokeCount":3}},'
        '"requestPayload":{"a": 1.50},"responseContext":{"statusCode":200,"executedVersion":"$LATEST",'
        '"functionError":"Unhandled"},"responsePayload":{"errorMessage": "no"}}'
    )


def test_what_never_ran_has_no_response():
    outcome = EventOutcome(condition="EventAgeExceeded", at=1.0, invoke_count=0, role="arn")
    assert set(json.loads(record(EVENT, outcome))) == {
        "version", "timestamp", "requestContext", "requestPayload"
    }  # fmt: skip
    throttled = json.loads(record(EVENT, replace(outcome, status_code=429)))
    assert throttled["responseContext"] == {"statusCode": 429}
    assert "responsePayload" not in throttled


@pytest.mark.parametrize(
    ("response", "told"),
    [(b"", None), (b"null", None), (b"no json", "no json"), (b"\xff", "\ufffd"), (b"[1", "[1")],
)
def test_whatever_a_runtime_answers_the_record_is_json(response, told):
    assert json.loads(record(replace(EVENT, response=response), FAILED))["responsePayload"] == told


def test_queues_and_topics_are_sent_the_record():
    queue = destination_delivery(EVENT, FAILED, "arn:aws:sqs:us-east-1:123456789012:q")
    assert (queue.service, queue.operation, queue.region) == ("sqs", "SendMessage", "us-east-1")
    assert queue.parameters["QueueUrl"] == "https://sqs.us-east-1.amazonaws.com/123456789012/q"
    assert queue.parameters["MessageBody"] == record(EVENT, FAILED).decode()
    trace = queue.parameters["MessageSystemAttributes"]["AWSTraceHeader"]
    assert trace == {"DataType": "String", "StringValue": "Root=1"}
    topic = destination_delivery(EVENT, FAILED, "arn:aws:sns:us-east-1:123456789012:t")
    assert (topic.operation, topic.parameters["TopicArn"]) == (
        "Publish",
        "arn:aws:sns:us-east-1:123456789012:t",
    )


def test_a_function_is_invoked_with_it():
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:g:live"
    delivery = destination_delivery(EVENT, FAILED, arn)
    assert delivery.operation == "Invoke"
    assert delivery.parameters == {
        "FunctionName": arn, "InvocationType": "Event", "Payload": record(EVENT, FAILED)
    }  # fmt: skip


def test_a_bus_gets_an_event():
    bus = "arn:aws:events:eu-west-1:123456789012:event-bus/b"
    (entry,) = destination_delivery(EVENT, FAILED, bus).parameters["Entries"]
    assert entry["Source"] == "lambda"
    assert entry["DetailType"] == "Lambda Function Invocation Result - Failure"
    assert entry["Resources"] == [bus, ARN]
    (entry,) = destination_delivery(EVENT, replace(FAILED, condition="Success"), bus).parameters["Entries"]
    assert entry["DetailType"] == "Lambda Function Invocation Result - Success"


def test_a_bucket_gets_an_object():
    delivery = destination_delivery(EVENT, FAILED, "arn:aws:s3:::b")
    assert (delivery.operation, delivery.region) == ("PutObject", "eu-west-1")
    assert delivery.parameters["Bucket"] == "b"
    assert delivery.parameters["Key"].startswith("aws/lambda/async/f/2023/11/14/2023-11-14T22.13.20-")


def test_what_is_too_large_goes_without_its_payloads():
    large = replace(EVENT, payload=b'"' + b"x" * 300_000 + b'"')
    delivery = destination_delivery(large, FAILED, "arn:aws:sns:us-east-1:123456789012:t")
    told = json.loads(delivery.parameters["Message"])
    assert "requestPayload" not in told
    assert told["responseContext"]["functionError"] == "Unhandled"


def test_dead_letters_are_the_event_itself():
    delivery = dead_letter_delivery(EVENT, FAILED, "arn:aws:sqs:us-east-1:123456789012:q")
    assert delivery.parameters["MessageBody"] == '{"a": 1.50}'
    assert delivery.parameters["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": "r-1"},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "no"},
    }


def test_a_long_error_message_is_cut_at_a_kilobyte():
    outcome = replace(FAILED, error_message="é" * 1000, status_code=None)
    delivery = dead_letter_delivery(EVENT, outcome, "arn:aws:sns:us-east-1:123456789012:t")
    attributes = delivery.parameters["MessageAttributes"]
    assert attributes["ErrorMessage"]["StringValue"] == "é" * 512
    assert "ErrorCode" not in attributes


def test_what_is_no_target_cannot_be_told():
    for arn in ("nonsense", "arn:aws:iam::123456789012:role/r"):
        with pytest.raises(UndeliverableError):
            destination_delivery(EVENT, FAILED, arn)
    with pytest.raises(UndeliverableError):
        dead_letter_delivery(EVENT, FAILED, "arn:aws:events:eu-west-1:123456789012:event-bus/b")


@pytest.mark.parametrize(
    ("response", "message"),
    [(b'{"errorMessage": "x"}', "x"), (b"{}", ""), (b"[]", ""), (b"?", ""), (b"", "")],
)
def test_the_message_of_an_error(response, message):
    assert error_message(response) == message
