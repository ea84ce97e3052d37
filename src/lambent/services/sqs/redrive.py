"""Dead-letter queues: who sends its dead letters where, and who may.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.model.queue import Queue
from lambent.services.sqs.errors import InvalidAttributeValue, invalid_value

_MEMBERS = ("maxReceiveCount", "deadLetterTargetArn")
_PERMISSIONS = ("allowAll", "denyAll", "byQueue")
_UNSUPPORTED = (
    "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the redrive allow "
    "policy, as it\N{RIGHT SINGLE QUOTATION MARK}s in an unsupported format."
)
_SOURCES_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivePolicy:
    target_arn: str
    max_receive_count: int


def redrive_policy(queue: Queue) -> RedrivePolicy | None:
    """Of a policy that was checked when it was set."""
    text = queue.attributes.get("RedrivePolicy")
    if not text:
        return None
    members = json.loads(text)
    return RedrivePolicy(
        target_arn=members["deadLetterTargetArn"], max_receive_count=int(members["maxReceiveCount"])
    )


def check_redrive_policy(text: str, source: Queue, by_arn: Callable[[str], Queue | None]) -> None:
    """Raises InvalidAttributeValue, InvalidParameterValueException."""

    def refuse(reason: str) -> Exception:
        return invalid_value(text, "RedrivePolicy", f"{reason}.")

    members = _json_map(text)
    if members is None:
        raise InvalidAttributeValue(
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
        )
    for name in _MEMBERS:
        if name not in members:
            raise refuse(f"Redrive policy does not contain mandatory attribute: {name}")
    if members.keys() - set(_MEMBERS):
        raise refuse(f"Only following attributes are supported: [{', '.join(_MEMBERS)}]")
    count, arn = members["maxReceiveCount"], members["deadLetterTargetArn"]
    if not _is_count(count):
        raise refuse(
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive"
        )
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[0] != "arn":
        raise refuse("Invalid value for deadLetterTargetArn")
    if parts[2] != "sqs":
        raise refuse("Only SQS queues are valid resources for deadLetterTargetArn")
    if parts[5].endswith(".fifo") != source.is_fifo:
        raise refuse("Dead-letter queue must be same type of queue as the source.")
    if parts[4] != source.account_id or parts[3] != source.region:
        raise refuse("Dead-letter target owner should be same as the source")
    target = by_arn(arn)
    if target is None:
        raise refuse("Dead letter target does not exist")
    if not allows(target, source):
        raise refuse("The dead-letter queue's redrive allow policy does not allow this source queue")


def allows(target: Queue, source: Queue) -> bool:
    """Whether the target's RedriveAllowPolicy lets this queue use it for its dead letters."""
    policy = _json_map(target.attributes.get("RedriveAllowPolicy", ""))
    if policy is None or policy["redrivePermission"] == "allowAll":
        return True
    return policy["redrivePermission"] == "byQueue" and source.arn in policy["sourceQueueArns"]


def check_redrive_allow_policy(text: str) -> None:
    """Raises InvalidAttributeValue, InvalidParameterValueException."""

    def refuse(reason: str) -> Exception:
        return invalid_value(
            text, "RedriveAllowPolicy", f"Amazon SQS can't create the redrive allow policy. {reason}"
        )

    members = _json_map(text)
    if (
        members is None
        or members.keys() - {"redrivePermission", "sourceQueueArns"}
        or members.get("redrivePermission") not in _PERMISSIONS
    ):
        raise InvalidAttributeValue(_UNSUPPORTED)
    arns = members.get("sourceQueueArns")
    if arns is not None and not (isinstance(arns, list) and all(isinstance(arn, str) for arn in arns)):
        raise InvalidAttributeValue(_UNSUPPORTED)
    if members["redrivePermission"] != "byQueue":
        if arns is not None:
            raise refuse(
                "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
            )
    elif not arns:
        raise refuse(
            "When you specify the byQueue permission type, you must also specify one or more "
            "sourceQueueArns values."
        )
    elif len(arns) > _SOURCES_MOST:
        raise refuse(f"The maximum number of source queue ARNs you can specify is {_SOURCES_MOST}.")


def _json_map(text: str) -> Mapping[str, Any] | None:
    try:
        members = json.loads(text)
    except ValueError:
        return None
    return members if isinstance(members, dict) else None


def _is_count(value: Any) -> bool:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000
