import pytest

from lambent.http.message import Request
from lambent.model.function_url import Cors
from lambent.services.lambda_.function_urls.cors import is_preflight, preflight_headers, with_cors

CORS = Cors(
    allow_credentials=True,
    allow_headers=("x-allowed", "content-type"),
    allow_methods=("GET", "POST"),
    allow_origins=("https://allowed.example",),
    expose_headers=("x-owned",),
    max_age=321,
)
ALLOWED = "https://allowed.example"


def asked(
    origin: str | None = ALLOWED,
    method: str | None = "POST",
    headers: str | None = None,
    verb: str = "OPTIONS",
) -> Request:
    given = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": headers,
    }
    return Request(verb, "/", "/", "", {name: value for name, value in given.items() if value}, b"")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(), True),
        (asked(origin=None), False),
        (asked(method=None), False),
        (asked(verb="GET"), False),
    ],
)
def test_a_preflight_request_has_an_origin_and_a_method(request_: Request, expected: bool) -> None:
    assert is_preflight(request_) is expected


@pytest.mark.parametrize("headers", [None, "x-allowed", "X-Allowed, content-type"])
def test_a_preflight_that_is_allowed_is_told_everything(headers: str | None) -> None:
    assert preflight_headers(CORS, asked(headers=headers)) == [
        ("access-control-allow-origin", ALLOWED),
        ("access-control-allow-headers", "x-allowed,content-type"),
        ("vary", "Origin"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-max-age", "321"),
        ("access-control-allow-credentials", "true"),
    ]


@pytest.mark.parametrize(
    "request_",
    [asked(origin="https://other.example"), asked(method="DELETE"), asked(headers="x-allowed,x-other")],
)
def test_a_preflight_that_is_not_allowed_is_told_nothing(request_: Request) -> None:
    assert preflight_headers(CORS, request_) == []


def test_the_headers_of_the_function_are_kept_beside_the_configured_ones() -> None:
    own = [
        ("content-type", "text/plain"),
        ("access-control-allow-origin", "https://handler.example"),
        ("access-control-expose-headers", "x-handler"),
    ]
    assert with_cors(CORS, asked(verb="GET"), own) == [
        ("content-type", "text/plain"),
        ("access-control-allow-origin", "https://handler.example"),
        ("access-control-allow-origin", ALLOWED),
        ("vary", "Origin"),
        ("access-control-expose-headers", "x-handler,x-owned"),
        ("access-control-allow-credentials", "true"),
    ]
    for origin in (None, "https://other.example"):
        assert with_cors(CORS, asked(origin, verb="GET"), own) == own


def test_everybody() -> None:
    cors = Cors(allow_origins=("*",), allow_methods=("*",), allow_headers=("*",))
    assert preflight_headers(cors, asked("http://x", "DELETE", "anything")) == [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "*"),
        ("access-control-allow-methods", "*"),
    ]
    assert with_cors(cors, asked("http://x"), []) == [("access-control-allow-origin", "*")]
