"""Message attributes: what may be sent, how long it is, and its MD5.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

import re
import struct
from collections.abc import Mapping
from hashlib import md5
from typing import Any, NoReturn

from lambent.model.queue import MessageAttribute
from lambent.services.sqs.errors import InvalidParameterValueException

_ALL = frozenset({"All", "*", ".*"})
_MOST = 10
_NAME = re.compile(r"[\w.-]+", re.UNICODE)
_TYPES = ("Binary", "Number", "String")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CHARACTERS = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")

INVALID_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)


def valid_characters(text: str) -> bool:
    if text.isascii() and text.isprintable():  # a third of what looking at each character costs
        return True
    return _CHARACTERS.fullmatch(text) is not None


def parse_attributes(members: Mapping[str, Mapping[str, Any]]) -> dict[str, MessageAttribute]:
    """Raises InvalidParameterValueException."""
    if len(members) > _MOST:
        raise InvalidParameterValueException(
            f"Number of message attributes [{len(members)}] exceeds the allowed maximum [{_MOST}]."
        )
    return {name: _parse(name, member) for name, member in members.items()}


def attributes_size(attributes: Mapping[str, MessageAttribute]) -> int:
    """In bytes, as it counts for a message's size: names, types and values."""
    return sum(
        len(name.encode()) + len(one.data_type.encode()) + len(_value(one))
        for name, one in attributes.items()
    )


def attributes_md5(attributes: Mapping[str, MessageAttribute]) -> str:
    """As SDKs compute it to compare: in the order of names, each part with its length before it."""
    digest = md5(usedforsecurity=False)
    for name in sorted(attributes):
        one = attributes[name]
        for part in (name.encode(), one.data_type.encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        value = _value(one)
        digest.update(b"\x01" if one.binary_value is None else b"\x02")
        digest.update(struct.pack(">I", len(value)) + value)
    return digest.hexdigest()


def attribute_members(attributes: Mapping[str, MessageAttribute]) -> dict[str, dict[str, Any]]:
    members: dict[str, dict[str, Any]] = {}
    for name, one in attributes.items():
        members[name] = {"DataType": one.data_type}
        if one.binary_value is None:
            members[name]["StringValue"] = one.string_value
        else:
            members[name]["BinaryValue"] = one.binary_value
    return members


def selected(attributes: Mapping[str, MessageAttribute], names: list[str]) -> dict[str, MessageAttribute]:
    """By MessageAttributeNames: names, prefixes (bar.*), or all (All, *, .*)."""
    if not names or not attributes:
        return {}
    if not _ALL.isdisjoint(names):
        return dict(attributes)
    prefixes = tuple(name[:-2] for name in names if name.endswith(".*"))
    return {
        name: one
        for name, one in attributes.items()
        if name in names or (prefixes and name.startswith(prefixes))
    }


def _value(attribute: MessageAttribute) -> bytes:
    if attribute.binary_value is not None:
        return attribute.binary_value
    return (attribute.string_value or "").encode()


def _parse(name: str, member: Mapping[str, Any]) -> MessageAttribute:
    _check_name(name)
    if member.get("StringListValues") or member.get("BinaryListValues"):
        _refuse("Message attribute list values in SendMessage operation are not supported.")
    data_type = member.get("DataType", "")
    text, binary = member.get("StringValue"), member.get("BinaryValue")
    if text is None and binary is None:
        _refuse(f"The message (user) attribute '{name}' must contain a non-empty message attribute value.")
    if not data_type:
        _refuse(f"The message (user) attribute '{name}' must contain a non-empty message attribute type.")
    if len(data_type.encode()) > 256:
        _refuse("Message (user) attribute type must be shorter than 256 bytes.")
    kind, _, label = data_type.partition(".")
    if kind not in _TYPES or (label and not _NAME.fullmatch(label)):
        _refuse(
            f"The type of message (user) attribute '{name}' is invalid. "
            "You must use only the following supported type prefixes: Binary, Number, String."
        )
    if not (binary if kind == "Binary" else text):
        _refuse(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if kind == "Binary":
        return MessageAttribute(data_type=data_type, binary_value=bytes(binary or b""))
    _check_text(name, kind, text or "")
    return MessageAttribute(data_type=data_type, string_value=text)


def _check_name(name: str) -> None:
    if not name:
        _refuse("The request must contain non-empty message (user) attribute names.")
    if len(name.encode()) > 256:
        _refuse("Message (user) attribute name must be shorter than 256 bytes.")
    if not _NAME.fullmatch(name):
        _refuse(
            "Message (user) attributes name can only contain upper and lower score characters, digits, "
            "periods, hyphens and underscores. "
        )
    if name.lower().startswith(("aws.", "amazon.")):
        _refuse(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. "
            "These strings are reserved for internal use."
        )
    if name.startswith(".") or name.endswith(".") or ".." in name:
        _refuse(f"Message (user) attribute name '{name}' is invalid.")


def _check_text(name: str, kind: str, text: str) -> None:
    if not valid_characters(text):
        _refuse(f"Message (user) attribute '{name}' has an invalid value. {INVALID_CHARACTERS}")
    if kind == "Number" and not _NUMBER.fullmatch(text.strip()):
        _refuse(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _refuse(message: str) -> NoReturn:
    raise InvalidParameterValueException(message)
