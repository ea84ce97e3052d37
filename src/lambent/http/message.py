"""One HTTP request and one HTTP response, as values."""

from collections.abc import AsyncIterator

import msgspec


class Request(msgspec.Struct):
    """`target` is the request target exactly as sent (a signature covers it); `path` is its part before
    '?', still percent-encoded, and `query` the part after it. Header names are lower-case; a repeated
    header's values are joined by ','. `body` is whole and no longer chunked; where there is a `stream`, it is empty,
    and what is sent is read from there while it arrives."""

    method: str
    target: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str = ""
    stream: AsyncIterator[bytes] | None = None


class Response(msgspec.Struct):
    """Content-Length (or chunked framing, for a body that is produced as it goes), Date and Connection are
    added by the connection; everything else is the handler's."""

    status: int
    headers: list[tuple[str, str]] = msgspec.field(default_factory=list)
    body: bytes | AsyncIterator[bytes] = b""
