"""Bytes in, requests out: HTTP/1.1 framing by httptools, and what it lets through that we do not. No I/O,
no clock.

Strict on purpose: whatever two readers could understand differently (two lengths, a length beside chunks,
two hosts, folded lines) is refused, for one of them may be a proxy in front of us.
"""

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum

import httptools
import msgspec

from lambent.http.body import BodyStream
from lambent.http.limits import Limits
from lambent.http.message import Request

_SINGLE = frozenset({"host", "content-length", "transfer-encoding", "authorization", "expect"})
"""Headers that mean something else to each reader when they are repeated."""
_NAMES_MOST = 32


Streams = Callable[[str, str, Mapping[str, str]], bool]
"""Whether a body is to be handed on as it arrives: from the method, the target, and the headers."""


class RefusedRequestError(Exception):
    """The request cannot be read on: `status` is the answer to it, and the connection ends after that."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Phase(Enum):
    IDLE = "between two requests"
    HEAD = "in the request line or the headers"
    BODY = "in the body"


class Received(msgspec.Struct):
    request: Request
    keep_alive: bool
    http10: bool
    size: int
    """What it took on the wire, about, in bytes; of a streamed one, without its body."""
    stream: BodyStream | None = None


class RequestReader:
    """Reads the requests of one connection, in order, into `ready`."""

    def __init__(self, limits: Limits, peer: str, streams: Streams | None = None) -> None:
        self.ready: deque[Received] = deque()
        self.stream: BodyStream | None = None
        """Of the request whose body arrives, where it is in `ready` or taken from there already."""
        self.phase = Phase.IDLE
        self.wants_continue = False
        """The client holds its body back until it is told to go on (Expect: 100-continue). The caller
        resets it."""
        self.body_bytes = 0
        self._limits = limits
        self._peer = peer
        self._streams = streams
        self._finished = False
        self._reframing = False
        self._head_bytes_before = 0
        self._framing_bytes = 0
        self._names: dict[bytes, str] = {}
        """Names of headers as they were sent, and in lower case: a client repeats itself."""
        self._reset()
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Raises RefusedRequestError; after that, and after a request that ends the connection, data is
        ignored."""
        if self._finished:
            return
        body_bytes_before = self.body_bytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._continue_after_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if not self._finished:  # bytes after a request that said "Connection: close" are nobody's
                self._finished = True
                raise _refusal(error) from None
        if self.phase is Phase.HEAD:
            self._check_unfinished_head(len(data))
        elif self.phase is Phase.BODY:
            self._check_framing(len(data), self.body_bytes - body_bytes_before)

    def abandon(self) -> None:
        """Reads nothing more, and lets go of what has been read of a request that is not whole."""
        self._finished = True
        self.stream = None
        self._reset()

    def _check_unfinished_head(self, size: int) -> None:
        # The parser holds a header that has not ended, and does not say how long it is. So what counts is
        # what was read; the first read is not counted, as it may have held the end of another request.
        if (
            self._head_bytes_before > self._limits.head_bytes_max
            or len(self._headers) > self._limits.headers_max
        ):
            self._finished = True
            raise _head_too_large()
        self._head_bytes_before += size

    def _check_framing(self, size: int, body_size: int) -> None:
        # The parser holds a trailer that has not ended, and copies it for every piece that is added.
        self._framing_bytes = 0 if body_size else self._framing_bytes + size
        if self._framing_bytes > self._limits.head_bytes_max:
            self._finished = True
            raise RefusedRequestError(431, "The trailers, or the extensions of a chunk, are too large.")

    def _reset(self) -> None:
        self._method = ""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_count = 0
        self._head_bytes = 0
        self._body: list[bytes] = []
        self._http10 = False
        self._keep_alive = True
        self._is_streamed = False

    # What httptools calls, in the order of the message.

    def on_message_begin(self) -> None:
        if self._reframing:
            return
        self._reset()
        self._head_bytes_before = 0
        self.body_bytes = 0
        self.phase = Phase.HEAD

    def on_url(self, url: bytes) -> None:
        if not self._reframing:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase is not Phase.HEAD or self._reframing:
            # A trailer: it must not overrule a header.
            if self.stream is not None:
                self.stream.trailers[name.decode("latin-1").lower()] = value.decode("latin-1").strip(" \t")
            return
        self._head_bytes += len(name) + len(value) + 4
        self._header_count += 1
        key = self._names.get(name) or self._admit(name)
        text = value.decode("latin-1").strip(" \t")
        headers = self._headers
        if key in headers:
            if key in _SINGLE:
                raise RefusedRequestError(400, f"The header {key} is given twice.")
            text = f"{headers[key]},{text}"
        headers[key] = text

    def _admit(self, name: bytes) -> str:
        key = name.decode("latin-1").lower()
        if len(self._names) < _NAMES_MOST:
            self._names[name] = key
        return key

    def on_headers_complete(self) -> None:
        if self._reframing:
            return
        version = self._parser.get_http_version()
        self._method = self._parser.get_method().decode("latin-1")
        self._http10 = version == "1.0"
        self._keep_alive = self._parser.should_keep_alive()
        self._check_head(version)
        self._framing_bytes = 0
        self.phase = Phase.BODY
        if self._is_streamed:
            self.stream = BodyStream()
            size = len(self._url) + self._head_bytes
            request = self._request()
            request.stream = self.stream
            self.ready.append(Received(request, self._keep_alive, self._http10, size, self.stream))

    def on_body(self, chunk: bytes) -> None:
        self.body_bytes += len(chunk)
        if self.stream is not None:
            if self.body_bytes > self._limits.streamed_bytes_max:
                raise _body_too_large(self._limits.streamed_bytes_max)
            self.stream.feed(chunk)
            return
        if self.body_bytes > self._limits.body_bytes_max:
            raise _body_too_large(self._limits.body_bytes_max)
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        if "upgrade" in self._headers and self._body_is_behind_an_offer():
            return
        self._reframing = False
        self._finished = not self._keep_alive
        self.wants_continue = False
        self.phase = Phase.IDLE
        if self.stream is not None:
            self.stream.end()
            self.stream = None
            return
        size = len(self._url) + self._head_bytes + self.body_bytes
        self.ready.append(Received(self._request(), self._keep_alive, self._http10, size))

    def _check_head(self, version: str) -> None:
        headers = self._headers
        limits = self._limits
        if (
            self._head_bytes + len(self._url) > limits.head_bytes_max
            or self._header_count > limits.headers_max
            or self._url.count(b"&") >= limits.query_parameters_max
        ):
            raise _head_too_large()
        if version != "1.1" and not self._http10:
            raise RefusedRequestError(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        if self._method == "CONNECT":
            raise RefusedRequestError(405, "This is not a proxy.")
        if "host" not in headers and not self._http10:
            raise RefusedRequestError(400, "The header Host is missing.")
        length = headers.get("content-length")
        encoding = headers.get("transfer-encoding")
        if (length is not None and int(length) >= limits.streamed_bytes_min) or encoding is not None:
            self._is_streamed = self._asks_for_stream()
            most = limits.streamed_bytes_max if self._is_streamed else limits.body_bytes_max
            if length is not None and int(length) > most:
                raise _body_too_large(most)
        elif length is not None and int(length) > limits.body_bytes_max:
            raise _body_too_large(limits.body_bytes_max)
        if encoding is not None:
            if self._http10:
                raise RefusedRequestError(400, "HTTP/1.0 has no Transfer-Encoding.")
            if encoding.lower() != "chunked":
                raise RefusedRequestError(501, "The only Transfer-Encoding understood is chunked.")
        expect = headers.get("expect")
        if expect is not None and not self._http10:
            if expect.lower() != "100-continue":
                raise RefusedRequestError(417, "The only expectation understood is 100-continue.")
            self.wants_continue = self._has_body()

    def _asks_for_stream(self) -> bool:
        headers = self._headers
        if self._streams is None or "upgrade" in headers:
            return False
        return self._streams(self._method, self._url.decode("latin-1"), headers)

    def _has_body(self) -> bool:
        return (
            "transfer-encoding" in self._headers or self._headers.get("content-length", "0").strip("0") != ""
        )

    def _body_is_behind_an_offer(self) -> bool:
        return not self._reframing and self._has_body() and bool(self._parser.should_upgrade())

    def _request(self) -> Request:
        target = self._url.decode("latin-1")
        path, _, query = target.partition("?")
        if not path.startswith("/") and "://" in path:  # the absolute form, as sent to proxies
            path = "/" + path.partition("://")[2].partition("/")[2]
        body = self._body
        return Request(
            method=self._method,
            target=target,
            path=path,
            query=query,
            headers=self._headers,
            body=body[0] if len(body) == 1 else b"".join(body),
            peer=self._peer,
        )

    def _continue_after_upgrade(self, rest: bytes) -> None:
        """An offer to change the protocol is not taken: the request is an ordinary one, and so is what
        follows it.

        httptools stops at the offer, before the body. A second parser is told the framing alone."""
        self._parser = httptools.HttpRequestParser(self)
        if self.phase is Phase.BODY:
            length = self._headers.get("content-length")
            framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
            self._reframing = True
            self._parser.feed_data(f"POST / HTTP/1.1\r\nhost: -\r\n{framing}\r\n\r\n".encode())
        self.feed(rest)


def _head_too_large() -> RefusedRequestError:
    return RefusedRequestError(431, "The request line and the headers are too large.")


def _body_too_large(most: int) -> RefusedRequestError:
    return RefusedRequestError(413, f"Request must be smaller than {most} bytes")


def _refusal(error: httptools.HttpParserError) -> RefusedRequestError:
    if isinstance(error.__context__, RefusedRequestError):
        return error.__context__
    if error.__context__ is not None:
        raise error.__context__  # a bug of ours, not the client's
    return RefusedRequestError(400, f"Bad request: {error}")
