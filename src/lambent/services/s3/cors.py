"""Cross-origin rules of a bucket: what they may say, and which of them is for a request.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.http.message import Request
from lambent.model.bucket import Bucket
from lambent.services.s3.errors import InvalidRequest, MalformedXML

_METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})
_RULES_MOST = 100


def check_cors(payload: Any) -> Any:
    """Raises InvalidRequest, MalformedXML."""
    rules = payload["CORSRules"]
    if not 0 < len(rules) <= _RULES_MOST:
        raise MalformedXML()
    for rule in rules:
        if not rule["AllowedMethods"] or not rule["AllowedOrigins"]:
            raise MalformedXML()
        for method in rule["AllowedMethods"]:
            if method not in _METHODS:
                raise InvalidRequest(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                )
        _check_wildcards("AllowedOrigin", rule["AllowedOrigins"])
        _check_wildcards("AllowedHeader", rule.get("AllowedHeaders", ()))
        for header in rule.get("ExposeHeaders", ()):
            if "*" in header:
                raise InvalidRequest(
                    f'ExposeHeader "{header}" contains wildcard. We currently do not support wildcard for'
                    " ExposeHeader."
                )
    return payload


def _check_wildcards(name: str, values: Sequence[str]) -> None:
    for value in values:
        if value.count("*") > 1:
            raise InvalidRequest(f'{name} "{value}" can not have more than one wildcard.')


def matching_rule(
    bucket: Bucket, origin: str, method: str, headers: Sequence[str] = ()
) -> Mapping[str, Any] | None:
    """The first rule that allows a request from a page of `origin`; `headers` are those a preflight asks for."""
    configuration = bucket.configurations.get("CORSConfiguration") or {}
    for rule in configuration.get("CORSRules", ()):
        if (
            any(_matches(allowed, origin) for allowed in rule["AllowedOrigins"])
            and method in rule["AllowedMethods"]
            and all(_allowed_header(rule, header) for header in headers)
        ):
            return dict(rule)
    return None


def asked_headers(request: Request) -> list[str]:
    """Those a browser asks whether its page may send."""
    names = request.headers.get("access-control-request-headers", "").split(",")
    return [name.strip().lower() for name in names if name.strip()]


def cors_headers(rule: Mapping[str, Any], origin: str) -> list[tuple[str, str]]:
    """What tells a browser that its page may read the answer."""
    everyone = "*" in rule["AllowedOrigins"]
    headers = [
        ("Access-Control-Allow-Origin", "*" if everyone else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
    ]
    if "MaxAgeSeconds" in rule:
        headers.append(("Access-Control-Max-Age", str(rule["MaxAgeSeconds"])))
    if rule.get("ExposeHeaders"):
        headers.append(("Access-Control-Expose-Headers", ", ".join(rule["ExposeHeaders"])))
    if not everyone:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    headers.append(("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"))
    return headers


def _allowed_header(rule: Mapping[str, Any], header: str) -> bool:
    return any(_matches(allowed.lower(), header.lower()) for allowed in rule.get("AllowedHeaders", ()))


def _matches(pattern: str, text: str) -> bool:
    """With one wildcard at most."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)
