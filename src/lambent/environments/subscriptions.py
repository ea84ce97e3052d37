"""What an extension asks of the Telemetry API, or of the Logs API before it: which events, in which schema, where to.

Source: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html and runtimes-logs-api.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import orjson

Api = Literal["Telemetry", "Logs"]
EventKind = Literal["platform", "function", "extension"]

PATHS: Final[Mapping[str, Api]] = {"/2022-07-01/telemetry": "Telemetry", "/2020-08-15/logs": "Logs"}

_SCHEMAS: Final[Mapping[Api, tuple[str, ...]]] = {
    "Logs": ("2020-08-15", "2021-03-18"),
    "Telemetry": ("2022-07-01", "2022-12-13", "2025-01-29"),
}
_ALL_SCHEMAS: Final = (*_SCHEMAS["Logs"], *_SCHEMAS["Telemetry"])
_WRONG_SCHEMA: Final = {
    "Logs": "LogsAPI only supports the following SchemaVersion: 2020-08-15, 2021-03-18",
    "Telemetry": "TelemetryAPI only supports the SchemaVersion released after 2021-03-18",
}
_KINDS: Final = ("platform", "function", "extension")
_PROTOCOLS: Final = ("HTTP", "TCP")
_METHODS: Final = ("POST", "PUT")
_HOSTS: Final = ("sandbox.localdomain", "sandbox")
_RESERVED_PORT: Final = 9001
_MOST: Final[Mapping[str, tuple[int, int]]] = {
    "maxItems": (1_000, 10_000),
    "maxBytes": (262_144, 1_048_576),
    "timeoutMs": (25, 30_000),
}
_DEFAULTS: Final[Mapping[Api, Mapping[str, int]]] = {
    "Logs": {"maxItems": 10_000, "maxBytes": 262_144, "timeoutMs": 1_000},
    "Telemetry": {"maxItems": 1_000, "maxBytes": 262_144, "timeoutMs": 1_000},
}


class RefusedError(Exception):
    """A subscription that cannot be: `code` is the second part of AWS's error type ("ValidationError")."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`target` is path and query of an HTTP destination; TCP has events line by line."""

    protocol: Literal["HTTP", "TCP"]
    port: int
    method: str = "POST"
    host: str = ""
    target: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A batch goes when it has `max_items` events or `max_bytes`, or the first of it has waited for `timeout_ms`."""

    api: Api
    schema: str
    types: tuple[EventKind, ...]
    destination: Destination
    max_items: int
    max_bytes: int
    timeout_ms: int


def read_subscription(body: bytes, api: Api) -> Subscription:
    """Raises RefusedError."""
    given = _object(body)
    schema = _schema(given.get("schemaVersion"), api)
    types = _types(_required(given, "types"))
    destination = _destination(_mapping(_required(given, "destination"), "destination"))
    buffering = _buffering(_mapping(given.get("buffering") or {}, "buffering"), api)
    return Subscription(
        api=api,
        schema=schema,
        types=types,
        destination=destination,
        max_items=buffering["maxItems"],
        max_bytes=buffering["maxBytes"],
        timeout_ms=buffering["timeoutMs"],
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusedError("DeserializationError", str(error)) from error
    return _mapping(decoded, "subscription")


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError("DeserializationError", f"invalid type for `{name}`, expected an object")
    return value


def _required(given: Mapping[str, Any], name: str) -> Any:
    if given.get(name) is None:
        raise RefusedError("DeserializationError", f"missing field `{name}`")
    return given[name]


def _one_of(value: Any, variants: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in variants:
        expected = ", ".join(f"`{variant}`" for variant in variants)
        expected = expected.replace(", ", " or ") if len(variants) == 2 else f"one of {expected}"
        raise RefusedError("DeserializationError", f"unknown variant `{value}`, expected {expected}")
    return value


def _schema(value: Any, api: Api) -> str:
    """The Logs API has a default; the Telemetry API wants to be told."""
    if value is None and api == "Logs":
        return _SCHEMAS["Logs"][0]
    if value is None or _one_of(value, _ALL_SCHEMAS) not in _SCHEMAS[api]:
        raise RefusedError("ValidationError", _WRONG_SCHEMA[api])
    return str(value)


def _types(value: Any) -> tuple[EventKind, ...]:
    if not isinstance(value, list):
        raise RefusedError("DeserializationError", "invalid type for `types`, expected a sequence")
    types: list[Any] = [_one_of(name, _KINDS) for name in value]
    if not types:
        raise RefusedError("ValidationError", "types should not be empty")
    if len(set(types)) < len(types):
        raise RefusedError("ValidationError", "types should be unique")
    return tuple(types)


def _buffering(given: Mapping[str, Any], api: Api) -> dict[str, int]:
    chosen = {}
    for name, (least, most) in _MOST.items():
        value = given.get(name, _DEFAULTS[api][name])
        if not isinstance(value, int) or isinstance(value, bool):
            raise RefusedError("DeserializationError", f"invalid type for `{name}`, expected u64")
        if not least <= value <= most:
            raise RefusedError("ValidationError", f"{name} should be between {least} and {most}")
        chosen[name] = value
    return chosen


def _destination(given: Mapping[str, Any]) -> Destination:
    protocol = _one_of(_required(given, "protocol"), _PROTOCOLS)
    if protocol == "TCP":
        port = _required(given, "port")
        if not isinstance(port, int):
            raise RefusedError("DeserializationError", "invalid type for `port`, expected u16")
        return Destination(protocol="TCP", port=_usable(port))
    method = _one_of(given.get("method", "POST"), _METHODS)
    return _http_destination(str(_required(given, "URI")), method)


def _http_destination(uri: str, method: str) -> Destination:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise RefusedError("ValidationError", f"invalid destination URI: {error}") from error
    if parts.scheme != "http":
        raise RefusedError("AccessDenied", "Only 'http' scheme is supported.", 403)
    if parts.hostname not in _HOSTS:
        raise RefusedError("AccessDenied", "Only 'sandbox.localdomain' hostname is supported.", 403)
    if port is None:
        raise RefusedError("ValidationError", "URI port is not provided")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(character in target for character in "\r\n\0 "):
        raise RefusedError("ValidationError", "invalid destination URI")
    return Destination(
        protocol="HTTP", port=_usable(port), method=method, host=f"{parts.hostname}:{port}", target=target
    )


def _usable(port: int) -> int:
    if not 1 <= port <= 65_535:
        raise RefusedError("ValidationError", "port should be between 1 and 65535")
    if port == _RESERVED_PORT:
        raise RefusedError("ValidationError", f"port {_RESERVED_PORT} is reserved")
    return port
