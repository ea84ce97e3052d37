"""One HTTP/1.1 request to somebody else's server, over TCP or TLS: for what services tell the world outside.

A connection is for one request. Redirects are not followed. Addresses of the link (169.254.0.0/16, where clouds answer
with a machine's credentials) are not spoken to, whatever name leads there.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import httptools

from lambent.http.message import Response

_READ_BYTES = 65_536
_BODY_BYTES_MOST = 1024 * 1024
"""What comes after it is not read."""
_HEAD_BYTES_MOST = 64 * 1024
_ANSWER_BYTES_MOST = 4 * _BODY_BYTES_MOST
"""With the framing of its chunks, and the headers behind them."""


class RequestFailedError(Exception):
    """No answer: the name is unknown, the connection refused, broken or too slow, or the answer is no HTTP."""


async def request(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", seconds: float
) -> Response:
    """`url` is http:// or https://; Host and Content-Length are added. The names of an answer's headers are lower-case.
    Raises RequestFailedError, ValueError (no such URL)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not a URL of HTTP: {url}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1"]
    given = {
        "Host": parts.netloc.rpartition("@")[2],
        **headers,
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    for name, value in given.items():
        if any(character in f"{name}{value}" for character in "\r\n\0"):
            raise ValueError(f"the header {name!r} has a line break")
        lines.append(f"{name}: {value}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(parts.hostname, port, tls=parts.scheme == "https", message=head + body)
    except TimeoutError:
        raise RequestFailedError(f"no answer within {seconds:g} s") from None
    except (OSError, ssl.SSLError, httptools.HttpParserError) as error:
        raise RequestFailedError(str(error) or type(error).__name__) from error


async def request_on(
    sock: socket.socket, method: str, target: str, *, headers: Mapping[str, str], body: bytes
) -> Response:
    """The same over a connected socket, which belongs to it, and without a limit of time: who is asked may be frozen.
    Raises RequestFailedError."""
    given = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    message = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace") + body
    try:
        reader, writer = await asyncio.open_connection(sock=sock)
        return await _converse(reader, writer, message)
    except (OSError, httptools.HttpParserError) as error:
        raise RequestFailedError(str(error) or type(error).__name__) from error


async def _exchange(host: str, port: int, *, tls: bool, message: bytes) -> Response:
    address = await _address(host, port)
    context = ssl.create_default_context() if tls else None
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context, server_hostname=host if tls else None
    )
    return await _converse(reader, writer, message)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> Response:
    try:
        writer.write(message)
        await writer.drain()
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        received = 0
        while not answer.complete and len(answer.body) < _BODY_BYTES_MOST:
            data = await reader.read(_READ_BYTES)
            if not data:
                break
            received += len(data)
            if received > (_ANSWER_BYTES_MOST if answer.has_head else _HEAD_BYTES_MOST):
                raise RequestFailedError("the answer does not end")
            try:
                parser.feed_data(data)
            except httptools.HttpParserError:
                if not answer.complete:  # what comes behind an answer is nobody's
                    raise
        if not answer.has_head:
            raise RequestFailedError("the connection was closed without an answer")
        return Response(parser.get_status_code(), answer.headers, bytes(answer.body))
    finally:
        writer.close()


async def _address(host: str, port: int) -> str:
    """The first address of a host that may be spoken to, so that what was checked is what is connected to."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        ip = mapped or ip
        if not (ip.is_link_local or ip.is_multicast or ip.is_unspecified):
            return str(address[0])
    raise RequestFailedError(f"{host} has no address that may be spoken to")


class _Answer:
    """What the parser finds, as it finds it."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.has_head = False
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True
