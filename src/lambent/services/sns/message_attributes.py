"""Attributes of published messages, in SNS's words.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from lambent.model.queue import MessageAttribute
from lambent.services.sns.errors import ParameterValueInvalid

_TYPE = re.compile(r"(String|Number|Binary)(\.[\w.-]+)?")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NAME_MOST = 256


def parse_attributes(members: Mapping[str, Mapping[str, Any]]) -> dict[str, MessageAttribute]:
    """Raises ParameterValueInvalid."""
    return {name: _parse(name, member) for name, member in members.items()}


def attributes_size(attributes: Mapping[str, MessageAttribute]) -> int:
    return sum(
        len(name.encode())
        + len(one.data_type.encode())
        + (len(one.binary_value) if one.binary_value is not None else len((one.string_value or "").encode()))
        for name, one in attributes.items()
    )


def _parse(name: str, member: Mapping[str, Any]) -> MessageAttribute:
    _check_name(name)
    data_type = member.get("DataType", "")
    kind = data_type.partition(".")[0]
    if not _TYPE.fullmatch(data_type):
        _refuse(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
            "prefixes is Binary, Number, and String."
        )
    wanted, other = ("BinaryValue", "StringValue") if kind == "Binary" else ("StringValue", "BinaryValue")
    if not member.get(wanted):
        if member.get(other) is not None:
            field = "Binary" if kind == "Binary" else "String"
            _refuse(f"The message attribute '{name}' with type '{data_type}' must use field '{field}'.")
        _refuse(
            f"The message attribute '{name}' must contain non-empty message attribute value for message "
            f"attribute type '{data_type}'."
        )
    if kind == "Binary":
        return MessageAttribute(data_type=data_type, binary_value=bytes(member["BinaryValue"]))
    text: str = member["StringValue"]
    if kind == "Number" and not _NUMBER.fullmatch(text.strip()):
        _refuse(f"Could not cast message attribute '{name}' value to number.")
    if data_type == "String.Array" and not _is_array(text):
        _refuse(f"Message attribute '{name}' value is not a valid String.Array.")
    return MessageAttribute(data_type=data_type, string_value=text)


def _check_name(name: str) -> None:
    if not name:
        _refuse("Message attribute name can not be empty.")
    if len(name.encode()) > _NAME_MOST:
        _refuse("Length of message attribute name must be less than 256 bytes.")
    other = _NOT_IN_NAMES.search(name)
    if other is not None:
        _refuse(
            f"Invalid non-alphanumeric character '#x{ord(other.group()):X}' was found in the message attribute "
            "name. Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.startswith("."):
        _refuse("Invalid message attribute name starting with character '.' was found.")
    if name.endswith("."):
        _refuse("Invalid message attribute name ending with character '.' was found.")
    if ".." in name:
        _refuse("Message attribute name can not have successive '.' character.")


def _is_array(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def _refuse(message: str) -> NoReturn:
    raise ParameterValueInvalid(message)
