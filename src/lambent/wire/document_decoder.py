"""Bodies that are trees of values (JSON, CBOR), read by shape: members by the model's names, nulls left out.

What the model does not know is ignored, as AWS does; what is of another type is a SerializationException.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lambent.wire.exceptions import SerializationException, not_a_container, not_convertible
from lambent.wire.scalars import (
    INTEGER_RANGE,
    LONG_RANGE,
    clamp,
    decode_base64,
    decode_boolean,
    timestamp_format,
)
from lambent.wire.shapes import Shape
from lambent.wire.structures import StructureCache
from lambent.wire.timestamps import PARSERS, from_epoch

Decode = Callable[[Any], Any]
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class DocumentDecoder:
    """Decoders for the shapes of one service, in one of the document formats.

    `binary`: blobs and times are values of their own (CBOR) instead of text (JSON); names are then the
    model's, not `locationName`.
    """

    def __init__(self, *, binary: bool = False) -> None:
        self._binary = binary
        self._structures: StructureCache[Decode] = StructureCache()

    def compile(self, shape: Shape) -> Decode:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case "timestamp":
                return decode_epoch if self._binary else _timestamp(timestamp_format(shape, "unixtimestamp"))
            case "blob":
                return _decode_bytes if self._binary else _decode_base64_value
            case scalar:
                return _SCALARS[scalar]

    def _structure(self, shape: Shape) -> Decode:
        if shape.is_document_type:
            return lambda value: value
        return self._structures.get(shape.name, lambda: self.compile_members(shape, shape.members))

    def compile_members(self, shape: Shape, shapes: Mapping[str, Shape]) -> Decode:
        """A decoder of the given members only: a rest protocol's body is a part of its shape."""
        members = {
            self._wire_name(member, name): (name, self.compile(member)) for name, member in shapes.items()
        }
        find = members.get

        def decode_structure(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise not_a_container(value, "null")
            decoded = {}
            for key, item in value.items():
                if item is not None and (found := find(key)) is not None:
                    name, decode = found
                    # Most members are text, and a call costs more than a look.
                    decoded[name] = item if decode is _decode_string and type(item) is str else decode(item)
            return decoded

        if not shape.is_tagged_union:
            return decode_structure

        def decode_union(value: Any) -> dict[str, Any]:
            decoded = decode_structure(value)
            if len(decoded) > 1:
                raise SerializationException("Unexpected content: a union must have exactly one member set")
            return decoded

        return decode_union

    def _wire_name(self, member: Shape, name: str) -> str:
        return name if self._binary else str(member.serialization.get("name", name))

    def _list(self, shape: Shape) -> Decode:
        decode = self.compile(shape.member)

        def decode_list(value: Any) -> list[Any]:
            if type(value) is not list:
                raise not_a_container(value, "list or null")
            return [None if item is None else decode(item) for item in value]

        return decode_list

    def _map(self, shape: Shape) -> Decode:
        decode = self.compile(shape.value)

        def decode_map(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise not_a_container(value, "map or null")
            return {
                _decode_string(key): None if item is None else decode(item) for key, item in value.items()
            }

        return decode_map


def decode_epoch(value: Any) -> datetime:
    if type(value) is not int and type(value) is not float:
        raise not_convertible(value, "Timestamp")
    try:
        return from_epoch(value)
    except ValueError as error:
        raise SerializationException(f"{value} can not be converted to a Timestamp") from error


def _timestamp(form: str) -> Decode:
    if form == "unixtimestamp":
        return decode_epoch
    parse = PARSERS[form]

    def decode_timestamp(value: Any) -> datetime:
        if type(value) is not str:
            raise not_convertible(value, "Timestamp")
        try:
            return parse(value)
        except ValueError as error:
            raise SerializationException(f"'{value[:64]}' can not be converted to a Timestamp") from error

    return decode_timestamp


def _decode_string(value: Any) -> str:
    if type(value) is not str:
        raise not_convertible(value, "String")
    return value


def _decode_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value) is str:
        return decode_boolean(value)
    raise not_convertible(value, "Boolean")


def _integer(java_type: str, bounds: tuple[int, int]) -> Decode:
    def decode_integer(value: Any) -> int:
        if type(value) is int:
            return clamp(value, bounds)
        if type(value) is not float or math.isnan(value):
            raise not_convertible(value, java_type)
        return clamp(int(value), bounds) if math.isfinite(value) else bounds[value > 0]

    return decode_integer


def _decode_float(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    if type(value) is str and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    raise not_convertible(value, "Double")


def _decode_base64_value(value: Any) -> bytes:
    if type(value) is not str:
        raise not_convertible(value, "Blob")
    return decode_base64(value)


def _decode_bytes(value: Any) -> bytes:
    if type(value) is not bytes:
        raise not_convertible(value, "Blob")
    return value


_SCALARS: dict[str, Decode] = {
    "string": _decode_string,
    "character": _decode_string,
    "boolean": _decode_boolean,
    "integer": _integer("Integer", INTEGER_RANGE),
    "long": _integer("Long", LONG_RANGE),
    "float": _decode_float,
    "double": _decode_float,
}
