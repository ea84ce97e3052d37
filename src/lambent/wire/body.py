"""Bodies before they are read by shape."""

import zlib
from typing import Any

import orjson

from lambent.http.message import Request
from lambent.wire.exceptions import SerializationException
from lambent.wire.json_faults import why_not_json

_MAX_PLAIN_BYTES = 64 * 1024 * 1024


def plain_body(request: Request) -> bytes:
    """The body, decompressed where an SDK compressed it (CloudWatch's PutMetricData, from 10 KB on)."""
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request.body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(request.body, _MAX_PLAIN_BYTES)
    except zlib.error as error:
        raise SerializationException("The body is not what its Content-Encoding says") from error
    if unpacker.unconsumed_tail:
        raise SerializationException("The decompressed body is too large")
    return body


def read_json(body: bytes) -> Any:
    """An empty body is an empty structure."""
    if not body:
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = why_not_json(body, error)
        raise SerializationException(f"Could not parse request body into json: {reason}") from error
