"""Values of an operation's output as a tree that JSON or CBOR can write. Absent and None members are left
out."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from lambent.wire.cbor import EpochTime
from lambent.wire.fault import Fault
from lambent.wire.scalars import encode_base64, encode_float, timestamp_format
from lambent.wire.shapes import Shape
from lambent.wire.structures import StructureCache
from lambent.wire.timestamps import FORMATS, epoch_seconds

Encode = Callable[[Any], Any]


class DocumentEncoder:
    """Encoders for the shapes of one service. None stands for "as it is", so that plain values cost nothing.

    `binary` as in DocumentDecoder.
    """

    def __init__(self, *, binary: bool = False) -> None:
        self._binary = binary
        self._structures: StructureCache[Encode] = StructureCache()

    def compile(self, shape: Shape) -> Encode | None:  # noqa: PLR0911 - one return per type
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return _list(self.compile(shape.member))
            case "map":
                return _map(self.compile(shape.value))
            case "timestamp":
                return (
                    _encode_epoch_time
                    if self._binary
                    else _timestamp(timestamp_format(shape, "unixtimestamp"))
                )
            case "blob":
                return None if self._binary else encode_base64
            case "float" | "double":
                return None if self._binary else _encode_float
            case _:
                return None

    def _structure(self, shape: Shape) -> Encode | None:
        if shape.is_document_type:
            return None
        return self._structures.get(shape.name, lambda: self.compile_members(shape.name, shape.members))

    def compile_members(self, shape_name: str, shapes: Mapping[str, Shape]) -> Encode:
        """An encoder of the given members only: a rest protocol's body is a part of its shape."""
        members = {
            name: (self._wire_name(shape, name), self.compile(shape)) for name, shape in shapes.items()
        }

        if all(one == (name, None) for name, one in members.items()):
            return _plain_structure(shape_name, frozenset(members))

        def encode_structure(value: Mapping[str, Any]) -> dict[str, Any]:
            encoded = {}
            for name, item in value.items():
                if item is not None:
                    assert name in members, f"{shape_name} has no member {name}"
                    wire_name, encode = members[name]
                    encoded[wire_name] = item if encode is None else encode(item)
            return encoded

        return encode_structure

    def _wire_name(self, member: Shape, name: str) -> str:
        return name if self._binary else str(member.serialization.get("name", name))


def _plain_structure(shape_name: str, names: frozenset[str]) -> Encode:
    """Of members that are written as they are."""

    def encode_structure(value: Mapping[str, Any]) -> dict[str, Any]:
        assert names.issuperset(value), f"{shape_name} has no member {min(value.keys() - names)}"
        if type(value) is dict and None not in value.values():
            return value
        return {name: item for name, item in value.items() if item is not None}

    return encode_structure


def _list(encode: Encode | None) -> Encode:
    if encode is None:
        return list
    return lambda value: [None if item is None else encode(item) for item in value]


def _map(encode: Encode | None) -> Encode:
    if encode is None:
        return dict
    return lambda value: {key: None if item is None else encode(item) for key, item in value.items()}


def _timestamp(form: str) -> Encode:
    return epoch_seconds if form == "unixtimestamp" else FORMATS[form]


def _encode_epoch_time(value: Any) -> EpochTime:
    return EpochTime(epoch_seconds(value))


def _encode_float(value: Any) -> Any:
    """JSON has no word for what is not finite; AWS sends it as text."""
    return value if math.isfinite(value) else encode_float(value)


def encode_fault_members(encoder: DocumentEncoder, fault: Fault) -> dict[str, Any]:
    """An error's members that stand in the body beside its message. What no shape describes is sent as it is."""
    if fault.shape is None:
        return dict(fault.members)
    located = {name for name, shape in fault.shapes.items() if shape.serialization.get("location")}
    in_body = {name: value for name, value in fault.members.items() if name not in located}
    encoded: dict[str, Any] = encoder.compile_members(fault.code, fault.shapes)(in_body)
    return encoded
