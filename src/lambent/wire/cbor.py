"""RFC 8949, as much of it as Smithy's RPC v2 needs: no simple values but true, false, null and undefined."""

import struct
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 128
_BREAK = object()
_INDEFINITE = 31
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


@dataclass(frozen=True, slots=True)
class EpochTime:
    """Tag 1: seconds since the Unix epoch."""

    seconds: float | int


class CborError(ValueError):
    """Not a data item, or more than one, or nested too deeply."""


def decode(data: bytes) -> Any:
    """The one data item in `data`. Tags for times and big numbers are taken off. Raises CborError."""
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise CborError(str(error)) from error
    if value is _BREAK or reader.at != len(data):
        raise CborError("data after the item")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def item(self, depth: int) -> Any:  # noqa: PLR0911 - one return per major type
        if depth > _MAX_DEPTH:
            raise CborError("nested too deeply")
        initial = self._data[self.at]
        self.at += 1
        major, info = initial >> 5, initial & 31
        match major:
            case 0:
                return self._argument(info)
            case 1:
                return -1 - self._argument(info)
            case 2:
                return self._string(major, info)
            case 3:
                return self._string(major, info).decode()
            case 4:
                return self._array(info, depth)
            case 5:
                return self._map(info, depth)
            case 6:
                return self._tagged(self._argument(info), depth)
            case _:
                return self._simple(info)

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise CborError(f"additional information {info}")
        return int.from_bytes(self._take(1 << (info - 24)), "big")

    def _take(self, length: int) -> bytes:
        taken = self._data[self.at : self.at + length]
        if len(taken) != length:
            raise CborError("the data ends early")
        self.at += length
        return taken

    def _string(self, major: int, info: int) -> bytes:
        if info != _INDEFINITE:
            return self._take(self._argument(info))
        chunks = []
        while (initial := self._take(1)[0]) != 0xFF:
            if initial >> 5 != major or initial & 31 == _INDEFINITE:
                raise CborError("a chunk of another type")
            chunks.append(self._take(self._argument(initial & 31)))
        return b"".join(chunks)

    def _array(self, info: int, depth: int) -> list[Any]:
        items = []
        if info == _INDEFINITE:
            while (item := self.item(depth + 1)) is not _BREAK:
                items.append(item)
            return items
        for _ in range(self._argument(info)):
            items.append(self._value(depth))
        return items

    def _map(self, info: int, depth: int) -> dict[Any, Any]:
        items = {}
        if info == _INDEFINITE:
            while (key := self.item(depth + 1)) is not _BREAK:
                items[key] = self._value(depth)
            return items
        for _ in range(self._argument(info)):
            key = self._value(depth)
            items[key] = self._value(depth)
        return items

    def _value(self, depth: int) -> Any:
        value = self.item(depth + 1)
        if value is _BREAK:
            raise CborError("a break where a value is expected")
        return value

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self._value(depth)
        if tag == 1:
            return value
        if tag in (2, 3) and isinstance(value, bytes):
            number = int.from_bytes(value, "big")
            return number if tag == 2 else -1 - number
        raise CborError(f"tag {tag}")

    def _simple(self, info: int) -> Any:
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info in _FLOATS:
            return _FLOATS[info].unpack(self._take(_FLOATS[info].size))[0]
        if info == _INDEFINITE:
            return _BREAK
        raise CborError(f"simple value {info}")


def encode(value: Any) -> bytes:
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _write(value: Any, out: bytearray) -> None:
    match value:
        case None:
            out.append(0xF6)
        case bool():
            out.append(0xF5 if value else 0xF4)
        case int():
            _write_head(0, value, out) if value >= 0 else _write_head(1, -1 - value, out)
        case float():
            out.append(0xFB)
            out += struct.pack(">d", value)
        case bytes():
            _write_head(2, len(value), out)
            out += value
        case str():
            encoded = value.encode()
            _write_head(3, len(encoded), out)
            out += encoded
        case list() | tuple():
            _write_head(4, len(value), out)
            for item in value:
                _write(item, out)
        case dict():
            _write_head(5, len(value), out)
            for key, item in value.items():
                _write(key, out)
                _write(item, out)
        case EpochTime():
            out.append(0xC1)
            _write(value.seconds, out)
        case _:
            raise TypeError(f"no CBOR for {type(value).__name__}")


def _write_head(major: int, argument: int, out: bytearray) -> None:
    if argument < 24:
        out.append(major << 5 | argument)
        return
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            out.append(major << 5 | info)
            out += argument.to_bytes(size, "big")
            return
    raise OverflowError(f"{argument} does not fit in 64 bits")
