"""Queue attributes: which there are, what values they take, what they are by default.

Source: CreateQueue, SetQueueAttributes and GetQueueAttributes in the SQS API reference.
"""

import re
from collections.abc import Mapping

from lambent.model.queue import Queue
from lambent.services.sqs.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValueException,
)

MAXIMUM_MESSAGE_SIZE = 1_048_576
_RANGES: Mapping[str, tuple[int, int]] = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, MAXIMUM_MESSAGE_SIZE),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_DEFAULTS: Mapping[str, str] = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": str(MAXIMUM_MESSAGE_SIZE),
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
}
_FIFO_DEFAULTS: Mapping[str, str] = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "FifoQueue": ("true", "false"),
    "ContentBasedDeduplication": ("true", "false"),
    "SqsManagedSseEnabled": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_DOCUMENTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId")
SETTABLE = frozenset({*_RANGES, *_CHOICES, *_DOCUMENTS})
_FIFO_ONLY = frozenset(_FIFO_DEFAULTS)
_NUMBER = re.compile(r"-?\d+")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+\.fifo")


def check_name(name: str, attributes: Mapping[str, str]) -> None:
    """Raises InvalidParameterValueException."""
    if attributes.get("FifoQueue") == "true":
        if not _FIFO_NAME.fullmatch(name):
            raise InvalidParameterValueException(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
                "must end with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        raise InvalidParameterValueException(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def check_values(attributes: Mapping[str, str], *, is_fifo: bool) -> None:
    """One by one. Raises InvalidAttributeName, InvalidAttributeValue."""
    for name, value in attributes.items():
        if name not in SETTABLE or (name in _FIFO_ONLY and not is_fifo):
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
        if name in _RANGES:
            low, high = _RANGES[name]
            if not _NUMBER.fullmatch(value) or not low <= int(value) <= high:
                raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
        elif name in _CHOICES and value.lower() not in (one.lower() for one in _CHOICES[name]):
            raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")


def check_together(attributes: Mapping[str, str], given: Mapping[str, str]) -> None:
    """What the queue would have, and what of that was given. Raises InvalidAttributeName, InvalidAttributeValue."""
    if given.get("KmsMasterKeyId") and given.get("SqsManagedSseEnabled") == "true":
        raise InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE."
        )
    if (
        attributes.get("FifoThroughputLimit") == "perMessageGroupId"
        and attributes.get("DeduplicationScope", "queue") != "messageGroup"
    ):
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoThroughputLimit. Reason: FifoThroughputLimit can be set to "
            "perMessageGroupId only when DeduplicationScope is set to messageGroup."
        )


def merged(attributes: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Empty documents take what was there away; one kind of encryption ends the other."""
    result = {**attributes, **given}
    for name in _DOCUMENTS:
        if result.get(name) == "":
            del result[name]
    if given.get("KmsMasterKeyId"):
        result["SqsManagedSseEnabled"] = "false"
    elif given.get("SqsManagedSseEnabled") == "true":
        result.pop("KmsMasterKeyId", None)
        result.pop("KmsDataKeyReusePeriodSeconds", None)
    return result


def number(queue: Queue, name: str) -> int:
    return int(queue.attributes.get(name) or _DEFAULTS[name])


def is_set(queue: Queue, name: str) -> bool:
    return queue.attributes.get(name, "false").lower() == "true"


def described(queue: Queue) -> dict[str, str]:
    """Every attribute that the queue has, but those that are counted."""
    found = {
        "QueueArn": queue.arn,
        "CreatedTimestamp": str(queue.created_at // 1000),
        "LastModifiedTimestamp": str(queue.modified_at // 1000),
        **_DEFAULTS,
        **(_FIFO_DEFAULTS if queue.is_fifo else {}),
        "SqsManagedSseEnabled": "true",
        **queue.attributes,
    }
    if "KmsMasterKeyId" in found:
        found.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    return found
