"""What goes between the server and the process of a query: documents of JSON, each behind its length."""

import struct
from typing import Any, BinaryIO

import orjson

LENGTH = struct.Struct(">I")


def encode(document: Any) -> bytes:
    content = orjson.dumps(document)
    return LENGTH.pack(len(content)) + content


def write_frame(stream: BinaryIO, document: Any) -> None:
    stream.write(encode(document))
    stream.flush()


def read_frame(stream: BinaryIO) -> Any:
    """None at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = stream.read(length)
    return orjson.loads(content) if len(content) == length else None
