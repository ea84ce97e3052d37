"""What a schedule may have as its target, and the call that it makes of it.

A templated target is the ARN of a function, queue, topic or bus. A universal one names an operation of any service:
arn:aws:scheduler:::aws-sdk:sqs:sendMessage, whose parameters are the schedule's Input.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from botocore.exceptions import UnknownServiceError

from lambent.base.arn import Arn
from lambent.model.error import ServiceException, ValidationException
from lambent.model.service import Client
from lambent.services.scheduler.errors import not_offered
from lambent.targets.calls import Call, call_of, is_offered
from lambent.wire.service import load_service

_UNIVERSAL = "aws-sdk:"
_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}
"""Where the AWS SDK for Java, whose names universal targets use, calls a service otherwise than botocore."""
# fmt: off
_READS = (
    "get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover",
    "validate", "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration",
    "retrieve", "testConnection", "translateDocument", "isAuthorized",
)
# fmt: on
"""What AWS refuses: a schedule has nobody to tell what was read."""
_NOT_OFFERED = (
    "EcsParameters",
    "KinesisParameters",
    "SageMakerPipelineParameters",
    "EventBridgePutEventsV2Parameters",
    "EventBridgePutRawEventsParameters",
)


class Targets:
    def __init__(self, client: Client) -> None:
        self._client = client

    def check(self, target: Mapping[str, Any]) -> None:
        """Raises ValidationException."""
        for member in _NOT_OFFERED:
            if member in target:
                raise not_offered(member)
        try:
            arn = Arn.parse(target["Arn"])
        except ValueError:
            raise ValidationException("Provided Arn is not in correct format.") from None
        if arn.service == "scheduler" and arn.resource.startswith(_UNIVERSAL):
            self._check_universal(arn, target)
        elif arn.service == "events" and arn.resource.startswith("event-bus/"):
            if "EventBridgeParameters" not in target:
                raise ValidationException("EventBridgeParameters must be provided for an event bus.")
        elif not is_offered(target["Arn"]):
            raise not_offered(f"targets like {target['Arn']}")
        elif arn.resource.endswith(".fifo") and arn.service == "sqs" and "SqsParameters" not in target:
            raise ValidationException("SqsParameters must be provided for a FIFO queue.")

    def _check_universal(self, arn: Arn, target: Mapping[str, Any]) -> None:
        service, operation = _operation(arn)
        if operation[:1].lower() + operation[1:] != arn.resource.rpartition(":")[2]:
            raise ValidationException(f"Invalid action in {target['Arn']}.")
        if not self._client.offers(service, operation):
            raise not_offered(f"the target {target['Arn']}")
        if "<aws.scheduler." not in target.get("Input", ""):  # what will be there cannot be checked yet
            universal_call(target, arn.region, target.get("Input", "{}"))


def call(target: Mapping[str, Any], region: str, text: str) -> Call:
    """With the input, in which everything is filled in. Raises ValidationException where it does not fit."""
    arn = Arn.parse(target["Arn"])
    if arn.service == "scheduler":
        return universal_call(target, region, text)
    if arn.service == "events":
        given = target["EventBridgeParameters"]
        entry = {
            "EventBusName": target["Arn"],
            "Source": given["Source"],
            "DetailType": given["DetailType"],
            "Detail": text,
        }
        return Call("events", "PutEvents", arn.region, {"Entries": [entry]})
    return call_of(target, text.encode())


def universal_call(target: Mapping[str, Any], region: str, text: str) -> Call:
    """Raises ValidationException where the input is not what the operation takes."""
    service, operation = _operation(Arn.parse(target["Arn"]))
    try:
        parameters = load_service(service).read_plain(operation, orjson.loads(text))
    except (orjson.JSONDecodeError, ServiceException) as error:
        raise ValidationException(f"Invalid RequestJson provided. Reason {error}") from None
    return Call(service, operation, region, parameters)


def request_text(made: Call) -> str:
    """The request as a dead letter tells it."""
    return json.dumps(made.parameters, default=_plain)


def _plain(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _operation(arn: Arn) -> tuple[str, str]:
    """By botocore's names. Raises ValidationException."""
    parts = arn.resource.split(":")
    if len(parts) != 3:
        raise ValidationException("Provided Arn is not in correct format.")
    _, given, action = parts
    if action.startswith(_READS):
        raise ValidationException(f"{given}:{action} is not supported: a schedule cannot read.")
    service = _SERVICES.get(given, given)
    try:
        names = load_service(service).model.operation_names
    except UnknownServiceError:
        raise ValidationException(f"{given} is not a service.") from None
    operation = action[:1].upper() + action[1:]
    if operation not in names:
        raise ValidationException(f"{action} is not an action of {given}.")
    return service, operation
