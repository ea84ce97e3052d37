"""Parameters of the query protocol (Tags.member.1.Key=a), read by shape."""

from collections.abc import Callable, Mapping
from typing import Any

from lambent.wire.exceptions import SerializationException
from lambent.wire.scalars import compile_text_decoder
from lambent.wire.shapes import Shape
from lambent.wire.structures import StructureCache

Node = dict[str, Any]
"""Child nodes by name part; a parameter's own text is under the empty name."""
Decode = Callable[[Node], Any]
_MAX_INDEX_DIGITS = 9


def build_tree(parameters: Mapping[str, str]) -> Node:
    root: Node = {}
    for name, text in parameters.items():
        node = root
        for part in name.split("."):
            node = node.setdefault(part or " ", {})
        node[""] = text
    return root


class FormDecoder:
    """Decoders for the shapes of one service."""

    def __init__(self) -> None:
        self._structures: StructureCache[Decode] = StructureCache()

    def compile(self, shape: Shape) -> Decode:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case _:
                return _scalar(shape)

    def _structure(self, shape: Shape) -> Decode:
        return self._structures.get(shape.name, lambda: self._compile_structure(shape))

    def _compile_structure(self, shape: Shape) -> Decode:
        members = {
            wire_name(member, name): (name, self.compile(member)) for name, member in shape.members.items()
        }

        def decode_structure(node: Node) -> dict[str, Any]:
            decoded = {}
            for part, child in node.items():
                if part in members:
                    name, decode = members[part]
                    decoded[name] = decode(child)
            return decoded

        return decode_structure

    def _list(self, shape: Shape) -> Decode:
        decode = self.compile(shape.member)
        element = (
            None if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")
        )

        def decode_list(node: Node) -> list[Any]:
            return [decode(child) for child in _indexed(node if element is None else node.get(element, {}))]

        return decode_list

    def _map(self, shape: Shape) -> Decode:
        decode_key, decode_value = self.compile(shape.key), self.compile(shape.value)
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        flattened = shape.serialization.get("flattened")

        def decode_map(node: Node) -> dict[str, Any]:
            entries = _indexed(node if flattened else node.get("entry", {}))
            return {
                decode_key(entry.get(key_name, {})): decode_value(entry.get(value_name, {}))
                for entry in entries
            }

        return decode_map


def wire_name(member: Shape, name: str) -> str:
    """The part of a parameter's name that stands for a member. A flattened list goes by its element's
    name."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        element = member.member.serialization.get("name")
        if element:
            return str(element)
    return str(member.serialization.get("name", name))


def _indexed(node: Any) -> list[Node]:
    """The children that are numbered, in the order of their numbers."""
    numbered = [
        (int(part), child)
        for part, child in node.items()
        if part and len(part) <= _MAX_INDEX_DIGITS and part.isascii() and part.isdigit()
    ]
    return [child for _, child in sorted(numbered, key=lambda pair: pair[0])]


def _scalar(shape: Shape) -> Decode:
    decode = compile_text_decoder(shape)

    def decode_scalar(node: Node) -> Any:
        text = node.get("")
        if text is None:
            raise SerializationException("Start of structure or map found where not expected.")
        return text if decode is None else decode(text)

    return decode_scalar
