"""What a rest protocol reads outside the body: labels of the path, query string, headers."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from lambent.http.message import Request
from lambent.model.caller import Parameters
from lambent.wire.exceptions import SerializationException
from lambent.wire.query_names import may_name
from lambent.wire.scalars import TextDecode, compile_text_decoder
from lambent.wire.shapes import Shape

Read = Callable[[Request, Mapping[str, str], Parameters], None]
Binding = tuple[str, str, TextDecode | None]
"""(name on the wire, member, decoder)."""

_LOCATIONS = ("uri", "querystring", "header", "headers")


def body_members(shape: Shape) -> dict[str, Shape]:
    """The members that neither path, query string nor headers hold."""
    return {
        name: member
        for name, member in shape.members.items()
        if member.serialization.get("location") not in _LOCATIONS
    }


def compile_bindings(shape: Shape, *, empty_is_absent: bool = False) -> Read:
    """Puts every member that is bound outside the body into the parameters, where the request has it. With
    `empty_is_absent`, it has none of a number that stands in the query string without digits."""
    labels = [_bind(member, name, "iso8601") for name, member in _located(shape, "uri")]
    headers = [_bind_header(member, name) for name, member in _located(shape, "header")]
    read_query = _compile_query(shape, empty_is_absent)
    read_prefixed = [_compile_prefixed(member, name) for name, member in _located(shape, "headers")]

    def read(request: Request, values: Mapping[str, str], parameters: Parameters) -> None:
        for label, member, decode in labels:
            text = values[label]
            parameters[member] = text if decode is None else decode(text)
        given = request.headers
        for header, member, decode in headers:
            if header in given:
                text = given[header]
                parameters[member] = text if decode is None else decode(text)
        if request.query and read_query is not None:
            read_query(request.query, parameters)
        for read_map in read_prefixed:
            read_map(given, parameters)

    return read


def _located(shape: Shape, location: str) -> list[tuple[str, Shape]]:
    return [
        (name, member)
        for name, member in shape.members.items()
        if member.serialization.get("location") == location
    ]


def _bind(member: Shape, name: str, default_timestamp: str) -> Binding:
    return member.serialization.get("name", name), name, compile_text_decoder(member, default_timestamp)


def _bind_header(member: Shape, name: str) -> Binding:
    header = member.serialization.get("name", name).lower()
    if member.serialization.get("jsonvalue"):
        return header, name, _decode_json_value
    if member.type_name == "list":
        return header, name, _header_list(member.member)
    return header, name, compile_text_decoder(member, "rfc822")


def _decode_json_value(text: str) -> Any:
    try:
        return orjson.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise SerializationException("A header does not hold base64 of a JSON value") from error


def _header_list(element: Shape) -> TextDecode:
    decode = compile_text_decoder(element, "rfc822")
    dates = element.type_name == "timestamp" and decode is not None

    def decode_list(text: str) -> list[Any]:
        items = split_header_list(text)
        if dates and len(items) % 2 == 0 and not any("T" in item for item in items):
            items = [f"{day}, {rest}" for day, rest in zip(items[::2], items[1::2], strict=True)]
        return items if decode is None else [decode(item) for item in items]

    return decode_list


def split_header_list(text: str) -> list[str]:
    r"""Commas separate; a "quoted, \"item\"" keeps its own."""
    items: list[str] = []
    item, quoted, was_quoted = "", False, False
    at = 0
    while at < len(text):
        char = text[at]
        if quoted and char == "\\" and at + 1 < len(text):
            at += 1
            item += text[at]
        elif char == '"' and (quoted or not item.strip()):
            item, quoted, was_quoted = item if quoted else "", not quoted, True
        elif char == "," and not quoted:
            items.append(item if was_quoted else item.strip())
            item, was_quoted = "", False
        else:
            item += char
        at += 1
    items.append(item if was_quoted else item.strip())
    return items


def _compile_query(shape: Shape, empty_is_absent: bool) -> Callable[[str, Parameters], None] | None:
    single: dict[str, tuple[str, TextDecode | None]] = {}
    repeated: dict[str, tuple[str, TextDecode | None]] = {}
    rest: tuple[str, bool] | None = None
    skipped_empty: set[str] = set()
    for name, member in _located(shape, "querystring"):
        key = member.serialization.get("name", name)
        if member.type_name == "list":
            repeated[key] = (name, compile_text_decoder(member.member))
        elif member.type_name == "map":
            rest = (name, member.value.type_name == "list")
        else:
            single[key] = (name, compile_text_decoder(member))
            if empty_is_absent and member.type_name in ("integer", "long"):
                skipped_empty.add(key)
    if not (single or repeated or rest):
        return None

    known = frozenset((*single, *repeated))

    def read_query(query: str, parameters: Parameters) -> None:
        if rest is None and not may_name(query, known):
            return
        for key, text in parse_qsl(query, keep_blank_values=True):
            if key in single:
                if not text and key in skipped_empty:
                    continue
                name, decode = single[key]
                parameters[name] = text if decode is None else decode(text)
            elif key in repeated:
                name, decode = repeated[key]
                parameters.setdefault(name, []).append(text if decode is None else decode(text))
            elif rest is not None:
                name, as_list = rest
                others = parameters.setdefault(name, {})
                if as_list:
                    others.setdefault(key, []).append(text)
                else:
                    others[key] = text

    return read_query


def _compile_prefixed(member: Shape, name: str) -> Callable[[Mapping[str, str], Parameters], None]:
    prefix = member.serialization.get("name", "").lower()

    def read_map(headers: Mapping[str, str], parameters: Parameters) -> None:
        found = {header[len(prefix) :]: text for header, text in headers.items() if header.startswith(prefix)}
        if found:
            parameters[name] = found

    return read_map
