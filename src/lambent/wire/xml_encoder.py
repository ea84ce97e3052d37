"""XML bodies from values, by shape. Written as text: the result is one string, without a tree in between."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lambent.wire.scalars import compile_text_encoder
from lambent.wire.shapes import Shape
from lambent.wire.structures import StructureCache

Content = Callable[[Any, list[str]], None]
"""Appends what stands between an element's tags."""
Element = Callable[[Any, list[str]], None]
"""Appends a whole element, or several for a flattened list or map."""

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry in any form; they become U+FFFD."""
_NEEDS_ESCAPE = re.compile("[&<>\r]|" + _UNWRITABLE.pattern)


def escape_text(text: str) -> str:
    if not _NEEDS_ESCAPE.search(text):
        return text
    return escape(_UNWRITABLE.sub("\ufffd", text), {"\r": "&#13;"})


def _attribute(text: str) -> str:
    return quoteattr(_UNWRITABLE.sub("\ufffd", text))


class XmlEncoder:
    """Encoders for the shapes of one service."""

    def __init__(self, timestamps: str = "iso8601") -> None:
        self._timestamps = timestamps
        self._structures: StructureCache[Content] = StructureCache()

    def element(self, shape: Shape, tag: str) -> Element:
        """An encoder of a member or element that is written as `tag`."""
        if shape.type_name in ("list", "map") and shape.serialization.get("flattened"):
            return self._flattened(shape, tag)
        if shape.type_name == "structure":
            return self._structure_element(shape, tag)
        opening, closing = f"<{tag}{_namespace(shape)}>", f"</{tag}>"
        if shape.type_name in ("list", "map"):
            content = self._list(shape) if shape.type_name == "list" else self._map(shape)

            def write_element(value: Any, out: list[str]) -> None:
                out.append(opening)
                content(value, out)
                out.append(closing)

            return write_element
        encode = compile_text_encoder(shape, self._timestamps)

        def write_scalar(value: Any, out: list[str]) -> None:
            out.append(f"{opening}{escape_text(encode(value))}{closing}")

        return write_scalar

    def content(self, shape: Shape) -> Content:
        """An encoder of what a structure contains."""
        return self._structures.get(shape.name, lambda: self.compile_members(shape.name, shape.members))

    def compile_members(self, shape_name: str, shapes: Mapping[str, Shape]) -> Content:
        """An encoder of the given members only: a rest protocol's body is a part of its shape."""
        members = {
            name: None if shape.serialization.get("xmlAttribute") else self.element(shape, _tag(shape, name))
            for name, shape in shapes.items()
        }

        def write_members(value: Mapping[str, Any], out: list[str]) -> None:
            for name, item in value.items():
                if item is not None:
                    assert name in members, f"{shape_name} has no member {name}"
                    write = members[name]
                    if write is not None:
                        write(item, out)

        return write_members

    def _structure_element(self, shape: Shape, tag: str) -> Element:
        content = self.content(shape)
        attributes = {
            name: member.serialization["name"]
            for name, member in shape.members.items()
            if member.serialization.get("xmlAttribute")
        }
        start, closing = f"<{tag}{_namespace(shape)}", f"</{tag}>"

        def write_structure(value: Mapping[str, Any], out: list[str]) -> None:
            out.append(start)
            for name, attribute in attributes.items():
                if value.get(name) is not None:
                    out.append(f" {attribute}={_attribute(value[name])}")
            out.append(">")
            content(value, out)
            out.append(closing)

        return write_structure

    def _flattened(self, shape: Shape, tag: str) -> Element:
        if shape.type_name == "list":
            write = self.element(shape.member, shape.member.serialization.get("name", tag))

            def write_each(value: Any, out: list[str]) -> None:
                for item in value:
                    write(item, out)

            return write_each
        return self._entries(shape, tag)

    def _list(self, shape: Shape) -> Content:
        write = self.element(shape.member, shape.member.serialization.get("name", "member"))

        def write_list(value: Any, out: list[str]) -> None:
            for item in value:
                write(item, out)

        return write_list

    def _map(self, shape: Shape) -> Content:
        return self._entries(shape, "entry")

    def _entries(self, shape: Shape, tag: str) -> Content:
        write_key = self.element(shape.key, shape.key.serialization.get("name", "key"))
        write_value = self.element(shape.value, shape.value.serialization.get("name", "value"))

        def write_entries(value: Mapping[str, Any], out: list[str]) -> None:
            for key, item in value.items():
                out.append(f"<{tag}>")
                write_key(key, out)
                write_value(item, out)
                out.append(f"</{tag}>")

        return write_entries


def _tag(shape: Shape, name: str) -> str:
    return str(shape.serialization.get("name", name))


def _namespace(shape: Shape) -> str:
    namespace = shape.serialization.get("xmlNamespace")
    if not namespace:
        return ""
    if isinstance(namespace, str):
        return f' xmlns="{namespace}"'
    prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
    return f' xmlns{prefix}="{namespace["uri"]}"'
