"""What a rest protocol writes outside the body: status code and headers."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from lambent.wire.scalars import TextEncode, compile_text_encoder
from lambent.wire.shapes import Shape

Headers = list[tuple[str, str]]
WriteHeaders = Callable[[Mapping[str, Any], Headers], None]

_LOCATIONS = ("statusCode", "header", "headers")


def body_members(shape: Shape) -> dict[str, Shape]:
    """The members that neither status nor headers hold."""
    return {
        name: member
        for name, member in shape.members.items()
        if member.serialization.get("location") not in _LOCATIONS
    }


def status_member(shape: Shape) -> str | None:
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode":
            return str(name)
    return None


def compile_headers(shape: Shape) -> WriteHeaders:
    """Appends the headers of every member that is bound to one and present."""
    bound = [
        (name, member.serialization.get("name", name), _compile_value(member))
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    ]
    prefixed = [
        (name, member.serialization.get("name", ""))
        for name, member in shape.members.items()
        if member.serialization.get("location") == "headers"
    ]

    def write_headers(output: Mapping[str, Any], headers: Headers) -> None:
        for member, header, encode in bound:
            value = output.get(member)
            if value is not None:
                headers.append((header, encode(value)))
        for member, prefix in prefixed:
            for key, text in (output.get(member) or {}).items():
                headers.append((prefix + key, text))

    return write_headers


def _compile_value(member: Shape) -> TextEncode:
    if member.serialization.get("jsonvalue"):
        return _encode_json_value
    if member.type_name == "list":
        encode = (
            _quote if member.member.type_name == "string" else compile_text_encoder(member.member, "rfc822")
        )
        return lambda values: ",".join(encode(value) for value in values)
    return compile_text_encoder(member, "rfc822")


def _encode_json_value(value: Any) -> str:
    return base64.b64encode(orjson.dumps(value)).decode("ascii")


def _quote(text: str) -> str:
    if '"' not in text and "," not in text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
