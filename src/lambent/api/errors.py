"""What the front door itself answers: an unknown service or operation, our own failure, an unreadable request."""

from collections.abc import Mapping
from typing import Any

import orjson

from lambent.http.message import Response
from lambent.model.error import ServiceException
from lambent.wire.sigv4.errors import Family


class UnknownRequestError(Exception):
    """A request that no offered operation answers. The message names what was asked for; `nameless` are those that
    name no operation."""

    def __init__(self, message: str, *, nameless: bool = False) -> None:
        super().__init__(message)
        self.nameless = nameless


class _NamedException(ServiceException):
    def __init__(
        self, code: str, status: int, message: str, members: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code=code, members=members)
        self.status = status


_UNKNOWN: Mapping[Family, tuple[str, int]] = {
    "rest-json": ("UnknownOperationException", 404),
    "json": ("UnknownOperationException", 400),
    "query": ("InvalidAction", 400),
    "s3": ("NotImplemented", 501),
}

_NAMELESS = ("UnknownOperationException", 404)
"""Of the query protocol, where a request names no action."""

_INTERNAL: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "lambda": ("ServiceException", {"Type": "Service"}),
    "iam": ("ServiceFailure", {}),
    "s3": ("InternalError", {}),
}
"""How a service calls its own failure, where it is not InternalFailure."""

_UNREADABLE: Mapping[int, str] = {
    408: "RequestTimeoutException",
    413: "RequestEntityTooLargeException",
    431: "RequestHeaderFieldsTooLargeException",
    500: "InternalFailure",
    503: "ServiceUnavailableException",
}


def unknown_request(error: UnknownRequestError, family: Family) -> ServiceException:
    code, status = _NAMELESS if error.nameless and family == "query" else _UNKNOWN[family]
    return _NamedException(code, status, str(error))


def internal_failure(service_name: str) -> ServiceException:
    code, members = _INTERNAL.get(service_name, ("InternalFailure", {}))
    return _NamedException(
        code, 500, "An internal error occurred; the log has it by the request id.", members
    )


def refuse(status: int, message: str) -> Response:
    """The listener's answer to what could not be read as a request: nobody knows yet which service it was for."""
    code = _UNREADABLE.get(status, "BadRequestException")
    headers = [("content-type", "application/json"), ("x-amzn-errortype", code)]
    return Response(status, headers, orjson.dumps({"__type": code, "message": message}))
