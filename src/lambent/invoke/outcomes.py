"""What is told of an asynchronous invocation that has ended, to whom, and in which form: pure functions.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from lambent.base.arn import Arn, partition_of
from lambent.base.ids import new_uuid
from lambent.model.caller import Parameters
from lambent.model.function import LATEST
from lambent.model.invocation import EventInvocation, EventOutcome

_ERROR_MESSAGE_LONGEST = 1024
_RECORD_LARGEST: Mapping[str, int] = {
    "sns": 262_144,
    "sqs": 1_048_576,
    "events": 262_144,
    "lambda": 1_048_576,
}
"""Bytes. A record that is larger goes without its payloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A call of another service, in its `region`, that tells of an outcome."""

    service: str
    operation: str
    region: str
    parameters: Parameters


class UndeliverableError(ValueError):
    """There is no way to tell this ARN."""


def record(event: EventInvocation, outcome: EventOutcome, *, payloads: bool = True) -> bytes:
    """The invocation record, version 1.0."""
    function = event.function
    members: dict[str, Any] = {
        "version": "1.0",
        "timestamp": _time(outcome.at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": function.arn(event.qualifier or LATEST, partition_of(function.region)),
            "condition": outcome.condition,
            "approximateInvokeCount": outcome.invoke_count,
        },
    }
    if payloads:
        members["requestPayload"] = _json(event.payload)
    if outcome.status_code is not None:
        context = {
            "statusCode": outcome.status_code,
            "executedVersion": outcome.executed_version,
            "functionError": outcome.function_error,
        }
        members["responseContext"] = {name: value for name, value in context.items() if value is not None}
        if payloads and outcome.executed_version is not None:
            members["responsePayload"] = _json(event.response)
    return msgspec.json.encode(members)


def destination_delivery(event: EventInvocation, outcome: EventOutcome, arn: str) -> Delivery:
    """Raises UndeliverableError."""
    target = _parse(arn)
    text = record(event, outcome)
    if len(text) > _RECORD_LARGEST.get(target.service, len(text)):
        text = record(event, outcome, payloads=False)
    if target.service in ("sqs", "sns"):
        return _message(event, target, text, {})
    if target.service == "lambda":
        parameters = {"FunctionName": arn, "InvocationType": "Event", "Payload": text}
        return Delivery(service="lambda", operation="Invoke", region=target.region, parameters=parameters)
    if target.service == "events":
        return _event(event, outcome, target, text)
    if target.service == "s3":
        at = _time(outcome.at)
        key = f"aws/lambda/async/{event.function_name}/{at:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{new_uuid()}"
        parameters = {"Bucket": target.resource, "Key": key, "Body": text}
        return Delivery(service="s3", operation="PutObject", region=event.region, parameters=parameters)
    raise UndeliverableError(arn)


def dead_letter_delivery(event: EventInvocation, outcome: EventOutcome, arn: str) -> Delivery:
    """The event as it came, and what became of it in attributes. Raises UndeliverableError."""
    attributes = {"RequestID": {"DataType": "String", "StringValue": event.request_id}}
    if outcome.status_code is not None:
        attributes["ErrorCode"] = {"DataType": "Number", "StringValue": str(outcome.status_code)}
    if message := outcome.error_message.encode()[:_ERROR_MESSAGE_LONGEST].decode(errors="ignore"):
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": message}
    return _message(event, _parse(arn), event.payload, attributes)


def error_message(response: bytes) -> str:
    """What a function's error object says."""
    try:
        found = msgspec.json.decode(response)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return str(found.get("errorMessage", "")) if isinstance(found, dict) else ""


def _queue(event: EventInvocation, target: Arn, text: str, attributes: Mapping[str, Any]) -> Parameters:
    url = f"https://sqs.{target.region}.amazonaws.com/{target.account_id}/{target.resource}"
    parameters: Parameters = {"QueueUrl": url, "MessageBody": text}
    if attributes:
        parameters["MessageAttributes"] = dict(attributes)
    if event.trace_id:
        trace = {"DataType": "String", "StringValue": event.trace_id}
        parameters["MessageSystemAttributes"] = {"AWSTraceHeader": trace}
    return parameters


def _topic(event: EventInvocation, target: Arn, text: str, attributes: Mapping[str, Any]) -> Parameters:
    parameters: Parameters = {"TopicArn": str(target), "Message": text}
    if attributes:
        parameters["MessageAttributes"] = dict(attributes)
    return parameters


_Compose = Callable[[EventInvocation, Arn, str, Mapping[str, Any]], Parameters]
_MESSAGES: Mapping[str, tuple[str, _Compose]] = {"sqs": ("SendMessage", _queue), "sns": ("Publish", _topic)}


def _message(event: EventInvocation, target: Arn, text: bytes, attributes: Mapping[str, Any]) -> Delivery:
    if target.service not in _MESSAGES:
        raise UndeliverableError(str(target))
    operation, compose = _MESSAGES[target.service]
    parameters = compose(event, target, text.decode("utf-8", errors="replace"), attributes)
    return Delivery(service=target.service, operation=operation, region=target.region, parameters=parameters)


def _event(event: EventInvocation, outcome: EventOutcome, target: Arn, text: bytes) -> Delivery:
    kind = "Success" if outcome.condition == "Success" else "Failure"
    function = event.function.arn(event.qualifier or LATEST, partition_of(event.region))
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {kind}",
        "Resources": [str(target), function],
        "Detail": text.decode(),
        "EventBusName": str(target),
        "Time": _time(outcome.at),
    }
    if event.trace_id:
        entry["TraceHeader"] = event.trace_id
    return Delivery(
        service="events", operation="PutEvents", region=target.region, parameters={"Entries": [entry]}
    )


def _parse(arn: str) -> Arn:
    try:
        return Arn.parse(arn)
    except ValueError as error:
        raise UndeliverableError(arn) from error


def _json(payload: bytes) -> Any:
    """As it is, where it is JSON; a custom runtime may answer anything."""
    if not payload:
        return None
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return payload.decode("utf-8", errors="replace")
    return msgspec.Raw(payload)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
