"""From what a function returned to the HTTP response: payload format 2.0, or inferred from what is there.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload, and recorded answers
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import orjson

from lambent.http.message import Response

Headers = list[tuple[str, str]]

JSON = "application/json"
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_A_VALUE = re.compile(r"[\r\n\0]|[^\x00-\xff]")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_OF_THE_CONNECTION = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding"})


class MalformedResponseError(Exception):
    """What the function returned cannot be an HTTP response."""


def internal_server_error() -> Response:
    return Response(502, [("content-type", JSON)], b"Internal Server Error")


def response_of(payload: bytes) -> Response:
    """Raises MalformedResponseError."""
    try:
        returned = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return Response(200, [("content-type", "application/octet-stream")], payload)
    if isinstance(returned, str):
        return Response(200, [("content-type", JSON)], returned.encode())
    if not isinstance(returned, dict) or not returned.get("statusCode"):
        return Response(200, [("content-type", JSON)], orjson.dumps(returned))
    status, headers = status_and_headers(returned)
    return Response(status, headers, _body(returned))


def described(payload: bytes) -> Mapping[str, Any]:
    """The members of a response that has a status code; none for any other."""
    try:
        returned = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return returned if isinstance(returned, dict) and returned.get("statusCode") else {}


def status_and_headers(returned: Mapping[str, Any]) -> tuple[int, Headers]:
    """200 and a content type of JSON, but for what is said. Raises MalformedResponseError."""
    given = returned.get("headers") or {}
    cookies = returned.get("cookies") or []
    if not isinstance(given, dict) or not isinstance(cookies, list):
        raise MalformedResponseError("headers are an object and cookies a list")
    headers = [(name.lower(), _text(value)) for name, value in given.items()]
    headers += [("set-cookie", _text(cookie)) for cookie in cookies]
    for name, value in headers:
        if not _NAME.fullmatch(name) or _NOT_IN_A_VALUE.search(value):
            raise MalformedResponseError(f"the header {name!r} cannot be sent")
    headers = [header for header in headers if header[0] not in _OF_THE_CONNECTION]
    if all(name != "content-type" for name, _ in headers):
        headers.insert(0, ("content-type", JSON))
    return _status(returned.get("statusCode") or 200), headers


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        raise MalformedResponseError(f"the status code {value!r} is no number") from None
    if not 200 <= status <= 599:
        raise MalformedResponseError(f"there is no status code {status}")
    return status


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _body(returned: Mapping[str, Any]) -> bytes:
    body = returned.get("body")
    if body is None:
        return b""
    text = _text(body)
    return _decoded(text) if returned.get("isBase64Encoded") is True else text.encode()


def _decoded(text: str) -> bytes:
    """As AWS decodes it: whatever is no base64, or of its alphabet for URLs, is passed over."""
    digits = _NOT_BASE64.sub("", text.replace("-", "+").replace("_", "/"))
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    try:
        return b64decode(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return b""
