"""XML bodies, read by shape. Namespaces are not looked at, as AWS does not."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from lambent.wire.exceptions import RejectedRequest
from lambent.wire.scalars import compile_text_decoder
from lambent.wire.shapes import Shape
from lambent.wire.structures import StructureCache

Decode = Callable[[Element], Any]
_NAMESPACE = re.compile(r"\{[^}]*\}")
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


class _PlainTreeBuilder(TreeBuilder):
    """Without document types there are no entities, and so no way to blow a small body up."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise malformed_xml()


def malformed_xml() -> RejectedRequest:
    return RejectedRequest(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def parse_xml(body: bytes) -> Element:
    """Raises MalformedXML."""
    parser = XMLParser(target=_PlainTreeBuilder())  # noqa: S314 - entities need a document type, refused above
    try:
        parser.feed(body)
        return parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise malformed_xml() from error


class XmlDecoder:
    """Decoders for the shapes of one service."""

    def __init__(self) -> None:
        self._structures: StructureCache[Decode] = StructureCache()

    def compile(self, shape: Shape) -> Decode:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._wrapped_list(shape)
            case "map":
                return self._wrapped_map(shape)
            case _:
                return _scalar(shape)

    def _structure(self, shape: Shape) -> Decode:
        return self._structures.get(shape.name, lambda: self.compile_members(shape.members))

    def compile_members(self, shapes: Mapping[str, Shape]) -> Decode:
        """A decoder of the given members only: a rest protocol's body is a part of its shape."""
        attributes: dict[str, str] = {}
        repeated: dict[str, tuple[str, Callable[[Any, Element], Any]]] = {}
        single: dict[str, tuple[str, Decode]] = {}
        for name, shape in shapes.items():
            wire_name = shape.serialization.get("name", name)
            if shape.serialization.get("xmlAttribute"):
                attributes[name] = wire_name
            elif shape.serialization.get("flattened"):
                repeated[wire_name] = (name, self._flattened(shape))
            else:
                single[wire_name] = (name, self.compile(shape))

        def decode_structure(element: Element) -> dict[str, Any]:
            decoded: dict[str, Any] = {}
            for child in element:
                tag = local_name(child)
                if tag in single:
                    name, decode = single[tag]
                    decoded[name] = decode(child)
                elif tag in repeated:
                    name, add = repeated[tag]
                    decoded[name] = add(decoded.get(name), child)
            for name, attribute in attributes.items():
                text = element.get(_XSI + attribute.rpartition(":")[2], element.get(attribute))
                if text is not None:
                    decoded[name] = text
            return decoded

        return decode_structure

    def _wrapped_list(self, shape: Shape) -> Decode:
        decode = self.compile(shape.member)
        return lambda element: [decode(child) for child in element]

    def _wrapped_map(self, shape: Shape) -> Decode:
        decode_entry = self._entry(shape)
        return lambda element: dict(decode_entry(child) for child in element)

    def _flattened(self, shape: Shape) -> Callable[[Any, Element], Any]:
        if shape.type_name == "list":
            decode = self.compile(shape.member)

            def append_element(so_far: list[Any] | None, child: Element) -> list[Any]:
                if so_far is None:
                    return [decode(child)]
                so_far.append(decode(child))
                return so_far

            return append_element
        decode_entry = self._entry(shape)

        def put_entry(so_far: dict[str, Any] | None, child: Element) -> dict[str, Any]:
            entries = {} if so_far is None else so_far
            key, value = decode_entry(child)
            entries[key] = value
            return entries

        return put_entry

    def _entry(self, shape: Shape) -> Callable[[Element], tuple[str, Any]]:
        decode_key, decode_value = self.compile(shape.key), self.compile(shape.value)
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")

        def decode_entry(entry: Element) -> tuple[str, Any]:
            children = {local_name(child): child for child in entry}
            if key_name not in children or value_name not in children:
                raise malformed_xml()
            return decode_key(children[key_name]), decode_value(children[value_name])

        return decode_entry


def local_name(element: Element) -> str:
    return _NAMESPACE.sub("", element.tag, count=1)


def _scalar(shape: Shape) -> Decode:
    decode = compile_text_decoder(shape)
    if decode is None:
        return lambda element: element.text or ""

    def decode_scalar(element: Element) -> Any:
        return decode((element.text or "").strip())

    return decode_scalar
