import json
from base64 import b64encode
from typing import Any

import pytest

from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.function import FunctionId
from lambent.model.function_url import FunctionUrl
from lambent.services.lambda_.function_urls.event import event_of

ID = "abc"
HOST = f"{ID}.lambda-url.eu-west-1.localhost:9000"
URL = FunctionUrl(
    function=FunctionId("123456789012", "eu-west-1", "f"),
    qualifier="",
    id=ID,
    auth_type="NONE",
    created_at=0.0,
    modified_at=0.0,
)
SIGNER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    principal_arn="arn:aws:sts::123456789012:assumed-role/r/s",
    user_id="AROA:s",
    access_key_id="ASIA",
)


def event(
    method: str = "GET",
    target: str = "/",
    body: bytes = b"",
    caller: Caller | None = None,
    **headers: str,
) -> dict[str, Any]:
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, target, path, query, {"host": HOST, **named}, body, "10.0.0.1")
    encoded = event_of(
        request, URL, caller=caller, request_id="r-1", trace_id="Root=1-2-3", now=1_789_473_218.318
    )
    decoded = json.loads(encoded)
    assert isinstance(decoded, dict)
    return decoded


def test_the_least_there_is() -> None:
    assert event(user_agent="probe/1") == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "host": HOST,
            "user-agent": "probe/1",
            "content-length": "0",
            "x-forwarded-for": "10.0.0.1",
            "x-forwarded-proto": "http",
            "x-forwarded-port": "9000",
            "x-amzn-trace-id": "Root=1-2-3",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": ID,
            "domainName": f"{ID}.lambda-url.eu-west-1.localhost",
            "domainPrefix": ID,
            "http": {
                "method": "GET",
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "10.0.0.1",
                "userAgent": "probe/1",
            },
            "requestId": "r-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "15/Sep/2026:11:53:38 +0000",
            "timeEpoch": 1789473218318,
        },
        "isBase64Encoded": False,
    }


def test_path_query_and_cookies() -> None:
    found = event(target="/a%20b/c?x=1&x=2&y=%26&z", cookie="a=1; b=2")
    assert (found["rawPath"], found["requestContext"]["http"]["path"]) == ("/a%20b/c", "/a b/c")
    assert found["rawQueryString"] == "x=1&x=2&y=%26&z"
    assert found["queryStringParameters"] == {"x": "1,2", "y": "&", "z": ""}
    assert found["cookies"] == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json; charset=utf-8", '{"é":1}'.encode(), False),
        ("text/plain", b"a", False),
        ("application/problem+json", b"{}", False),
        ("text/plain", b"\xff", True),
        ("application/x-www-form-urlencoded", b"a=b", True),
        ("application/octet-stream", b"a", True),
        ("", b"a", True),
    ],
)
def test_bodies(content_type: str, body: bytes, encoded: bool) -> None:
    found = event("POST", body=body, content_type=content_type)
    expected = b64encode(body).decode() if encoded else body.decode()
    assert (found["body"], found["isBase64Encoded"]) == (expected, encoded)
    assert found["headers"]["content-length"] == str(len(body))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_some_methods_get_no_length(method: str) -> None:
    assert "content-length" not in event(method)["headers"]


def test_who_signed_is_told_and_the_signature_is_not() -> None:
    signed = event(caller=SIGNER, authorization="AWS4-HMAC-SHA256 …")
    assert "authorization" not in signed["headers"]
    assert signed["requestContext"]["accountId"] == "123456789012"
    assert signed["requestContext"]["authorizer"] == {
        "iam": {
            "accessKey": "ASIA",
            "accountId": "123456789012",
            "callerId": "AROA:s",
            "cognitoIdentity": None,
            "userArn": "arn:aws:sts::123456789012:assumed-role/r/s",
            "userId": "AROA:s",
        }
    }
    assert event(authorization="Bearer x")["headers"]["authorization"] == "Bearer x"


def test_what_a_proxy_in_front_says_is_kept_and_what_is_between_hops_is_not() -> None:
    found = event(x_forwarded_for="1.2.3.4", x_forwarded_proto="https", connection="close", te="trailers")
    assert (found["headers"]["x-forwarded-for"], found["headers"]["x-forwarded-proto"]) == (
        "1.2.3.4",
        "https",
    )
    assert not {"connection", "te"} & found["headers"].keys()
    assert found["requestContext"]["http"]["sourceIp"] == "10.0.0.1"
