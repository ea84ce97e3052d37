"""A message on its way in: from the parameters of SendMessage, or an entry of its batch, to what is stored."""

import re
from collections.abc import Mapping
from hashlib import md5, sha256
from typing import Any

import msgspec

from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.queue import MessageAttribute, Queue, QueueMessage
from lambent.services.sqs import attributes
from lambent.services.sqs.errors import (
    InvalidMessageContents,
    InvalidParameterValueException,
    MissingRequiredParameterException,
    invalid_value,
)
from lambent.services.sqs.message_attributes import (
    INVALID_CHARACTERS,
    attributes_md5,
    attributes_size,
    parse_attributes,
    valid_characters,
)

_DELAY_MOST = 900
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_TRACE_HEADER = "AWSTraceHeader"
_BEGUN = md5(usedforsecurity=False)
"""Copied for each body: to begin one anew takes twice as long."""


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`size` is what counts against the limits, in bytes."""

    message: QueueMessage
    delay_seconds: int
    size: int
    md5_of_attributes: str | None
    md5_of_system_attributes: str | None

    def members(self, message_id: str) -> dict[str, Any]:
        """What SendMessage answers, but the sequence number. A duplicate has the first one's id and its own digests."""
        members = {"MessageId": message_id, "MD5OfMessageBody": self.message.md5_of_body}
        if self.md5_of_attributes is not None:
            members["MD5OfMessageAttributes"] = self.md5_of_attributes
        if self.md5_of_system_attributes is not None:
            members["MD5OfMessageSystemAttributes"] = self.md5_of_system_attributes
        return members


def new_message(queue: Queue, caller: Caller, parameters: Parameters, now: int) -> NewMessage:
    """Raises what AWS says of a message that cannot be sent to this queue."""
    body: str = parameters.get("MessageBody") or ""
    if not body:
        raise MissingRequiredParameterException("MessageBody")
    if not valid_characters(body):
        raise InvalidMessageContents(INVALID_CHARACTERS)
    members, system_members = parameters.get("MessageAttributes"), parameters.get("MessageSystemAttributes")
    given = parse_attributes(members) if members else {}
    system = _system_attributes(system_members) if system_members else {}
    encoded = body.encode()
    is_fifo = queue.is_fifo
    deduplication_id = scope = group = None
    if is_fifo or "MessageDeduplicationId" in parameters:
        deduplication_id, scope = _deduplication(queue, parameters, encoded)
    if "MessageGroupId" in parameters:
        group = _group(parameters)
    message = QueueMessage(
        message_id=new_uuid(),
        body=body,
        md5_of_body=_md5(encoded),
        attributes=given,
        sender_id=caller.user_id,
        sent_at=now,
        group_id=group,
        deduplication_id=deduplication_id,
        deduplication_scope=scope,
        trace_header=system[_TRACE_HEADER].string_value if system else caller.headers.get("x-amzn-trace-id"),
    )
    return NewMessage(
        message=message,
        delay_seconds=_delay(queue, parameters, is_fifo=is_fifo),
        size=len(encoded) + (attributes_size(given) if given else 0),
        md5_of_attributes=attributes_md5(given) if given else None,
        md5_of_system_attributes=attributes_md5(system) if system else None,
    )


def _md5(body: bytes) -> str:
    digest = _BEGUN.copy()
    digest.update(body)
    return digest.hexdigest()


def too_large(new: NewMessage, most: int) -> InvalidParameterValueException | None:
    """Why a message of more than `most` bytes is refused; None for any other."""
    if new.size <= most:
        return None
    return InvalidParameterValueException(
        f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
    )


def check_fifo(queue: Queue, parameters: Parameters) -> None:
    """What makes a whole batch fail. Raises as SendMessage does for a message without a group or deduplication id."""
    if not queue.is_fifo:
        return
    if parameters.get("MessageGroupId") is None:
        raise MissingRequiredParameterException("MessageGroupId")
    if parameters.get("MessageDeduplicationId") is None and not attributes.is_set(
        queue, "ContentBasedDeduplication"
    ):
        raise InvalidParameterValueException(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
            "provided explicitly"
        )


def _group(parameters: Parameters) -> str | None:
    """On a standard queue, groups are tenants."""
    group: str | None = parameters.get("MessageGroupId")
    if group is not None:
        check_token(group, "MessageGroupId")
    return group


def _deduplication(queue: Queue, parameters: Parameters, body: bytes) -> tuple[str | None, str | None]:
    """The deduplication id, and the scope in which it is unique."""
    id: str | None = parameters.get("MessageDeduplicationId")
    if not queue.is_fifo:
        if id is not None:
            raise InvalidParameterValueException(
                f"Value {id} for parameter MessageDeduplicationId is invalid. Reason: The request include "
                "parameter that is not valid for this queue type."
            )
        return None, None
    check_fifo(queue, parameters)
    if id is None:
        id = sha256(body).hexdigest()
    else:
        check_token(id, "MessageDeduplicationId")
    by_group = queue.attributes.get("DeduplicationScope") == "messageGroup"
    return id, parameters["MessageGroupId"] if by_group else ""


def check_token(value: str, parameter: str) -> None:
    if not _TOKEN.fullmatch(value):
        raise invalid_value(
            value,
            parameter,
            f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )


def _delay(queue: Queue, parameters: Parameters, *, is_fifo: bool) -> int:
    delay: int | None = parameters.get("DelaySeconds")
    if delay is None:
        return attributes.number(queue, "DelaySeconds")
    if is_fifo and delay != 0:
        raise invalid_value(
            delay, "DelaySeconds", "The request include parameter that is not valid for this queue type."
        )
    if not 0 <= delay <= _DELAY_MOST:
        raise invalid_value(delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {_DELAY_MOST}.")
    return attributes.number(queue, "DelaySeconds") if is_fifo else delay


def _system_attributes(members: Mapping[str, Mapping[str, Any]]) -> dict[str, MessageAttribute]:
    for name, member in members.items():
        if name != _TRACE_HEADER:
            raise InvalidParameterValueException(f"Message system attribute name '{name}' is invalid.")
        if member.get("DataType") != "String" or not member.get("StringValue"):
            raise InvalidParameterValueException(
                f"Message system attribute '{name}' must contain a non-empty value of type 'String'."
            )
    return {
        name: MessageAttribute(data_type="String", string_value=member["StringValue"])
        for name, member in members.items()
    }
