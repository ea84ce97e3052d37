"""From a target's ARN to the call that delivers to it: a table, and a function for each kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.base.arn import Arn


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of a service, as model.service.Client takes it, in the region of the target."""

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]


Target = Mapping[str, Any]


def call_of(target: Target, payload: bytes) -> Call:
    """Raises KeyError for a target that `is_offered` refuses."""
    arn = Arn.parse(target["Arn"])
    operation, parameters = _CALLS[arn.service]
    return Call(arn.service, operation, arn.region, parameters(target, arn, payload))


def is_offered(arn: str) -> bool:
    """Whether there is a way to deliver to this ARN. Raises ValueError where it is none."""
    return Arn.parse(arn).service in _CALLS


def queue_url(arn: Arn) -> str:
    """Of a queue: its account and name are what the path says; which host serves it does not matter in here."""
    return f"https://sqs.{arn.region}.amazonaws.com/{arn.account_id}/{arn.resource}"


def _function(target: Target, arn: Arn, payload: bytes) -> dict[str, Any]:
    return {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": payload}


def _queue(target: Target, arn: Arn, payload: bytes) -> dict[str, Any]:
    parameters = {"QueueUrl": queue_url(arn), "MessageBody": payload.decode()}
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if group is not None:
        parameters["MessageGroupId"] = group
    return parameters


def _topic(target: Target, arn: Arn, payload: bytes) -> dict[str, Any]:
    return {"TopicArn": target["Arn"], "Message": payload.decode()}


_CALLS: Mapping[str, tuple[str, Callable[[Target, Arn, bytes], dict[str, Any]]]] = {
    "lambda": ("Invoke", _function),
    "sqs": ("SendMessage", _queue),
    "sns": ("Publish", _topic),
}
