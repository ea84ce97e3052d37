"""Cross-origin resource sharing, as a function URL's configuration has it.

Only an origin that is allowed gets an answer's headers; a preflight request is answered for the function, which never
sees it. What the function sends itself is kept beside it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors, and recorded answers
"""

from collections.abc import Sequence

from lambent.http.message import Request
from lambent.model.function_url import Cors

Headers = list[tuple[str, str]]


def is_preflight(request: Request) -> bool:
    headers = request.headers
    return request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def preflight_headers(cors: Cors, request: Request) -> Headers:
    """None at all where origin, method or a header is not allowed."""
    headers = request.headers
    wanted = [name.strip() for name in headers.get("access-control-request-headers", "").split(",")]
    origin = _allowed_origin(cors, headers.get("origin"))
    if (
        origin is None
        or not _allows(cors.allow_methods, headers["access-control-request-method"])
        or not all(_allows(cors.allow_headers, name) for name in wanted if name)
    ):
        return []
    answer = [("access-control-allow-origin", origin)]
    if cors.allow_headers:
        answer.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    answer += _vary(origin)
    answer.append(("access-control-allow-methods", ",".join(cors.allow_methods or ())))
    if cors.max_age is not None:
        answer.append(("access-control-max-age", str(cors.max_age)))
    return answer + _credentials(cors)


def with_cors(cors: Cors, request: Request, headers: Headers) -> Headers:
    """The function's headers, and those of the configuration."""
    origin = _allowed_origin(cors, request.headers.get("origin"))
    if origin is None:
        return headers
    exposed = [value for name, value in headers if name == "access-control-expose-headers"]
    exposed += cors.expose_headers or ()
    answer = [header for header in headers if header[0] != "access-control-expose-headers"]
    answer += [("access-control-allow-origin", origin), *_vary(origin)]
    if exposed:
        answer.append(("access-control-expose-headers", ",".join(exposed)))
    return answer + _credentials(cors)


def _allowed_origin(cors: Cors, origin: str | None) -> str | None:
    """What Access-Control-Allow-Origin is to say; None where the origin is not allowed."""
    allowed = cors.allow_origins or ()
    if origin is None:
        return None
    if "*" in allowed:
        return origin if cors.allow_credentials else "*"
    return origin if origin.lower() in [one.lower() for one in allowed] else None


def _allows(allowed: Sequence[str] | None, name: str) -> bool:
    names = [one.lower() for one in allowed or ()]
    return "*" in names or name.lower() in names


def _vary(origin: str) -> Headers:
    return [] if origin == "*" else [("vary", "Origin")]


def _credentials(cors: Cors) -> Headers:
    return [("access-control-allow-credentials", "true")] if cors.allow_credentials else []
