"""Scalars as text: in headers, paths, query strings, forms and XML. Wrong text is a
SerializationException."""

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lambent.wire.exceptions import text_not_convertible
from lambent.wire.shapes import Shape
from lambent.wire.timestamps import FORMATS, PARSERS, Moment

TextDecode = Callable[[str], Any]
TextEncode = Callable[[Any], str]

INTEGER_RANGE = (-(2**31), 2**31 - 1)
LONG_RANGE = (-(2**63), 2**63 - 1)
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d{1,400}(\.\d*)?|\.\d{1,400})([eE][+-]?\d{1,4})?|NaN|-?Infinity", re.ASCII)


def timestamp_format(shape: Shape, default: str) -> str:
    """The key of FORMATS and PARSERS for a timestamp shape."""
    return str(shape.serialization.get("timestampFormat", default)).lower()


def compile_text_decoder(shape: Shape, default_timestamp: str = "iso8601") -> TextDecode | None:
    """None where the text is the value already."""
    if shape.type_name == "timestamp":
        return _timestamp_decoder(timestamp_format(shape, default_timestamp))
    return _DECODERS.get(shape.type_name)


def compile_text_encoder(shape: Shape, default_timestamp: str = "iso8601") -> TextEncode:
    match shape.type_name:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "float" | "double":
            return encode_float
        case "blob":
            return encode_base64
        case "timestamp":
            return _timestamp_encoder(timestamp_format(shape, default_timestamp))
        case _:
            return str


def clamp(value: int, bounds: tuple[int, int]) -> int:
    """AWS does not refuse a number that is too big for its type: it takes the nearest one that fits."""
    return min(max(value, bounds[0]), bounds[1])


def decode_boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered == "true":
        return True
    if lowered == "false":
        return False
    raise text_not_convertible(text, "Boolean")


def decode_integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise text_not_convertible(text, "Integer")
    return clamp(int(text), INTEGER_RANGE)


def decode_long(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise text_not_convertible(text, "Long")
    return clamp(int(text), LONG_RANGE)


def decode_float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise text_not_convertible(text, "Double")
    return float(text)


def encode_float(value: float) -> str:
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise text_not_convertible(text[:64], f"Blob: {error}") from error


def encode_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _timestamp_decoder(form: str) -> Callable[[str], datetime]:
    parse = PARSERS[form]

    def decode_timestamp(text: str) -> datetime:
        try:
            return parse(text)
        except ValueError as error:
            raise text_not_convertible(text[:64], "Timestamp") from error

    return decode_timestamp


def _timestamp_encoder(form: str) -> Callable[[Moment], str]:
    return FORMATS[form]


_DECODERS: dict[str, TextDecode] = {
    "boolean": decode_boolean,
    "integer": decode_integer,
    "long": decode_long,
    "float": decode_float,
    "double": decode_float,
    "blob": decode_base64,
}
