"""From an HTTP request to the event that the function gets: payload format 2.0.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload, and recorded events
"""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.function_url import FunctionUrl

_NOT_FORWARDED = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_TEXT = ("text/", "application/json", "application/xml", "application/javascript")


def event_of(
    request: Request, url: FunctionUrl, *, caller: Caller | None, request_id: str, trace_id: str, now: float
) -> bytes:
    """`caller` is who signed the request; None where nobody needs to."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path or "/",
        "rawQueryString": request.query,
    }
    if cookies := [one for one in map(str.strip, request.headers.get("cookie", "").split(";")) if one]:
        event["cookies"] = cookies
    event["headers"] = _headers(request, trace_id, signed=caller is not None)
    if parameters := _query_parameters(request.query):
        event["queryStringParameters"] = parameters
    event["requestContext"] = _context(request, url, caller, request_id, now)
    if request.body:
        event |= _body(request)
    event.setdefault("isBase64Encoded", False)
    return orjson.dumps(event)


def _headers(request: Request, trace_id: str, *, signed: bool) -> dict[str, str]:
    """A signature is not the function's business; every other Authorization is."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in _NOT_FORWARDED and not (signed and name == "authorization")
    }
    if "content-length" not in headers and (request.body or request.method not in ("HEAD", "OPTIONS")):
        headers["content-length"] = str(len(request.body))
    _, _, port = headers.get("host", "").partition(":")
    headers.setdefault("x-forwarded-for", request.peer)
    headers.setdefault("x-forwarded-proto", "http")
    headers.setdefault("x-forwarded-port", port or "80")
    headers["x-amzn-trace-id"] = trace_id
    return headers


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _context(
    request: Request, url: FunctionUrl, caller: Caller | None, request_id: str, now: float
) -> dict[str, Any]:
    context: dict[str, Any] = {
        "accountId": "anonymous" if caller is None else caller.account_id,
        "apiId": url.id,
        "domainName": request.headers.get("host", "").partition(":")[0],
        "domainPrefix": url.id,
        "http": {
            "method": request.method,
            "path": unquote(request.path) or "/",
            "protocol": "HTTP/1.1",
            "sourceIp": request.peer,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now * 1000),
    }
    if caller is not None:
        context["authorizer"] = {
            "iam": {
                "accessKey": caller.access_key_id,
                "accountId": caller.account_id,
                "callerId": caller.user_id,
                "cognitoIdentity": None,
                "userArn": caller.principal_arn,
                "userId": caller.user_id,
            }
        }
    return context


def _body(request: Request) -> dict[str, Any]:
    """Text as it is, everything else in base64: a form, too."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type.startswith(_TEXT) or content_type.endswith(("+json", "+xml")):
        try:
            return {"body": request.body.decode("utf-8"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": b64encode(request.body).decode("ascii"), "isBase64Encoded": True}
