"""Delivery status logging: what became of notifications, in CloudWatch Logs.

A topic names roles, for successes and for failures of each protocol; with these it is written to the log group
sns/REGION/ACCOUNT/TOPIC, and for what is given up to the same with /Failure. What cannot be written is lost, and
holds up no delivery.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html
"""

import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, RoleCallers
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.model.topic import Topic
from lambent.services.sns.errors import invalid
from lambent.targets.failure import DeliveryFailedError

log = logging.getLogger(__name__)

SERVICE = "sns.amazonaws.com"
_PREFIXES: Mapping[str, str] = {"http": "HTTP", "https": "HTTP", "lambda": "Lambda", "sqs": "SQS"}
_ROLES = ("SuccessFeedbackRoleArn", "FailureFeedbackRoleArn")
_RATE = "SuccessFeedbackSampleRate"
ROLE_ATTRIBUTES = frozenset(prefix + name for prefix in _PREFIXES.values() for name in _ROLES)
ATTRIBUTES = ROLE_ATTRIBUTES | {prefix + _RATE for prefix in _PREFIXES.values()}
_PERCENT = re.compile("100|[0-9]{1,2}")
_STATUSES: Mapping[str, int] = {
    "ERROR_FROM_TARGET": 500,
    "INTERNAL_ERROR": 500,
    "INVALID_PARAMETER": 400,
    "NO_PERMISSIONS": 403,
    "NO_RESOURCE": 404,
    "THROTTLING": 429,
}
"""Of targets inside of this server, which answer without HTTP."""
_RESPONSES: Mapping[str, str] = {"lambda": "lambdaRequestId", "sqs": "sqsRequestId"}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the subscriber's side answered: an HTTP status, and its answer as the log has it."""

    status: int
    response: str


def check_value(name: str, value: str) -> None:
    """Raises InvalidParameter."""
    if name in ROLE_ATTRIBUTES:
        parts = value.split(":", 5)
        if value and (len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/")):
            raise invalid(name)
    elif value and not _PERCENT.fullmatch(value):
        raise invalid(name)


def feedback(topic: Topic, protocol: str, body: str) -> dict[str, Any] | None:
    """What a delivery has to know of it; None where nothing is to be logged."""
    prefix = _PREFIXES.get(protocol)
    if prefix is None:
        return None
    success, failure = (topic.attributes.get(prefix + name) for name in _ROLES)
    if not success and not failure:
        return None
    return {
        "Success": success,
        "Rate": int(topic.attributes.get(prefix + _RATE) or 100),
        "Failure": failure,
        "Md5": md5(body.encode(), usedforsecurity=False).hexdigest(),
    }


class DeliveryStatusLog:
    def __init__(
        self,
        client: Client,
        roles: RoleCallers,
        clock: Clock,
        *,
        sample: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._roles = roles
        self._clock = clock
        self._sample = sample
        self._stream = new_uuid()

    async def delivered(self, delivery: Delivery, accepted: Accepted) -> None:
        wanted = delivery.target.get("Feedback")
        if not wanted or not wanted["Success"] or self._sample() * 100 >= wanted["Rate"]:
            return
        entry = self._entry(delivery, accepted.status, accepted.response, failed=False)
        await self._write(delivery, wanted["Success"], "", entry)

    async def failed(self, delivery: Delivery, failure: DeliveryFailedError) -> None:
        wanted = delivery.target.get("Feedback")
        if not wanted or not wanted["Failure"]:
            return
        response = failure.message
        if (request_id := _RESPONSES.get(delivery.target["Protocol"])) is not None:
            said = {"ErrorCode": failure.cause, "ErrorMessage": failure.message, request_id: "Unrecoverable"}
            response = _written(said)
        status = failure.status or _STATUSES.get(failure.code)
        entry = self._entry(delivery, status, response, failed=True)
        await self._write(delivery, wanted["Failure"], "/Failure", entry)

    def _entry(self, delivery: Delivery, status: int | None, response: str, *, failed: bool) -> str:
        target = delivery.target
        made: dict[str, Any] = {
            "deliveryId": new_uuid(),
            "destination": target["Endpoint"],
            "providerResponse": response,
            "dwellTimeMs": max(0, int((self._clock.now() - delivery.accepted_at) * 1000)),
        }
        if failed or target["Protocol"] not in _RESPONSES:
            made["attempts"] = delivery.attempts + 1
        if status is not None:
            made["statusCode"] = status
        return _written(
            {
                "notification": {
                    "messageMD5Sum": target["Feedback"]["Md5"],
                    "messageId": target["MessageId"],
                    "topicArn": delivery.source_arn,
                    "timestamp": _moment(delivery.accepted_at),
                },
                "delivery": made,
                "status": "FAILURE" if failed else "SUCCESS",
            }
        )

    async def _write(self, delivery: Delivery, role_arn: str, suffix: str, entry: str) -> None:
        *_, region, account_id, topic = delivery.source_arn.split(":")
        group = f"sns/{region}/{account_id}/{topic}{suffix}"
        named = {"logGroupName": group, "logStreamName": self._stream}
        events = [{"timestamp": int(self._clock.now() * 1000), "message": entry}]
        try:
            caller = await self._roles.assume(
                role_arn, SERVICE, region=region, session_name="sns", source_arn=delivery.source_arn
            )
            try:
                await self._client("logs", "PutLogEvents", caller, {**named, "logEvents": events})
            except ServiceException as error:
                if error.code != "ResourceNotFoundException":
                    raise
                await self._make(caller, named)
                await self._client("logs", "PutLogEvents", caller, {**named, "logEvents": events})
        except ServiceException as error:
            log.info("what became of a delivery of %s is not logged: %s", delivery.source_arn, error.message)

    async def _make(self, caller: Caller, named: Mapping[str, str]) -> None:
        for operation, parameters in (
            ("CreateLogGroup", {"logGroupName": named["logGroupName"]}),
            ("CreateLogStream", dict(named)),
        ):
            try:
                await self._client("logs", operation, caller, parameters)
            except ServiceException as error:
                if error.code != "ResourceAlreadyExistsException":
                    raise


def _written(members: Mapping[str, Any]) -> str:
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03}"
