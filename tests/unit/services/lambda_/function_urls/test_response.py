import json
from base64 import b64encode
from typing import Any

import pytest

from lambent.services.lambda_.function_urls.response import MalformedResponseError, response_of


def answered(returned: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    response = response_of(json.dumps(returned).encode())
    assert isinstance(response.body, bytes)
    return response.status, response.headers, response.body


JSON = [("content-type", "application/json")]


@pytest.mark.parametrize(
    ("returned", "body"),
    [
        ({"hello": "x", "n": [1]}, b'{"hello":"x","n":[1]}'),
        ("text é", "text é".encode()),
        (None, b"null"),
        (42, b"42"),
        ([1, 2], b"[1,2]"),
        ({"statusCode": 0, "a": 1}, b'{"statusCode":0,"a":1}'),
        ({"body": "no status"}, b'{"body":"no status"}'),
    ],
)
def test_what_has_no_status_code_is_the_body(returned: Any, body: bytes) -> None:
    assert answered(returned) == (200, JSON, body)


def test_what_is_no_json_is_sent_as_it_is() -> None:
    response = response_of(b"A\0\xff{")
    assert (response.status, response.headers, response.body) == (
        200, [("content-type", "application/octet-stream")], b"A\0\xff{",
    )  # fmt: skip


def test_everything_that_can_be_said() -> None:
    returned = {
        "statusCode": 202,
        "headers": {"Content-Type": "application/x", "X-Owned": "yes", "Set-Cookie": "h=c", "N": 7},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "accepted\n",
    }
    assert answered(returned) == (
        202,
        [
            ("content-type", "application/x"),
            ("x-owned", "yes"),
            ("set-cookie", "h=c"),
            ("n", "7"),
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "b=2"),
        ],
        b"accepted\n",
    )


@pytest.mark.parametrize(
    ("returned", "body"),
    [
        ({"body": {"not": "text"}}, b'{"not":"text"}'),
        ({}, b""),
        ({"body": None}, b""),
        ({"body": b64encode(b"A\0\xff").decode(), "isBase64Encoded": True}, b"A\0\xff"),
        ({"body": "!!!not-base64!!!", "isBase64Encoded": True}, bytes.fromhex("9e8b7e6dab1eeb")),
        ({"body": "QQD", "isBase64Encoded": True}, b"A\0"),
        ({"body": "Q", "isBase64Encoded": True}, b""),
    ],
)
def test_bodies(returned: Any, body: bytes) -> None:
    assert answered({"statusCode": 200} | returned) == (200, JSON, body)


def test_a_status_may_be_text_and_framing_is_not_the_function_s() -> None:
    headers = {"Content-Length": "9", "Transfer-Encoding": "chunked", "Connection": "close"}
    assert answered({"statusCode": "404", "headers": headers}) == (404, JSON, b"")


@pytest.mark.parametrize(
    "returned",
    [
        {"statusCode": 700},
        {"statusCode": 100},
        {"statusCode": "many"},
        {"statusCode": [200]},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "headers": {"a": "\u20ac"}},
        {"statusCode": 200, "cookies": "a=b"},
    ],
)
def test_what_cannot_be_sent_is_malformed(returned: Any) -> None:
    with pytest.raises(MalformedResponseError):
        answered(returned)
