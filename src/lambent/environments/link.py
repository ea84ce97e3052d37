"""How the server talks to the runtime inside an environment: one request, one reply.

Two kinds: `channel.py` (our bootstraps, frames on a unix socket) and `runtime_api.py` (everybody else's, HTTP).
"""

from asyncio import Future
from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

import msgspec
import orjson

from lambent.model.invocation import ResponseSink

RESPONSE_BYTES_MOST: Final = 6 * 1024 * 1024 + 100
"""AWS allows a little more than 6 MB, for the framing of its own."""

ReplyKind = Literal["ready", "initialized", "init_failed", "result", "failed"]


class LinkError(Exception):
    """The runtime is lost to us, and its environment of no more use."""


class LinkClosedError(LinkError):
    """The runtime ended, or hung up, before it answered."""


class NotTakenError(LinkClosedError):
    """The runtime ended, or broke the protocol, before it took the invocation: no code has seen it, and another runtime
    may run it."""


class ProtocolError(LinkError):
    """The runtime broke the protocol."""


class EntrypointError(LinkError):
    """The runtime could not be executed. The message is for the caller."""


class WrapperError(LinkError):
    """The wrapper that the function sets could not be executed. AWS's launcher says why in the log, and exits."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Reply(msgspec.Struct):
    """`payload` is the response, or the error object as JSON. `error_type` goes with the two failures. `ends` says that
    the runtime ends now, of its own will."""

    kind: ReplyKind
    payload: bytes = b""
    error_type: str | None = None
    ends: bool = False


def error_object(message: str, error_type: str) -> bytes:
    """The JSON that AWS answers for a failure which the function itself did not describe."""
    return orjson.dumps({"errorType": error_type, "errorMessage": message})


def response_too_large() -> Reply:
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MOST} bytes)."
    error_type = "Function.ResponseSizeTooLarge"
    return Reply("failed", error_object(message, error_type), error_type)


class InvokeRequest(msgspec.Struct, kw_only=True):
    """What the runtime is told of an invocation. `deadline_ms` is epoch milliseconds."""

    request_id: str
    deadline_ms: int
    invoked_arn: str
    payload: bytes
    trace_id: str | None = None
    client_context: str | None = None
    identity: Mapping[str, Any] | None = None
    tenant_id: str | None = None
    sink: ResponseSink | None = None


class Link(Protocol):
    """At most one request is open at a time. Futures fail with LinkError."""

    def ready(self) -> "Future[Reply]":
        """The runtime is up and can be initialized."""
        ...

    def initialize(self, settings: Mapping[str, Any]) -> "Future[Reply]":
        """Resolves to "initialized" or "init_failed"."""
        ...

    def invoke(self, request: InvokeRequest) -> "Future[Reply]":
        """Resolves to "result" or "failed", which for a response that is streamed come at its end. Fails with
        NotTakenError where the runtime has ended already."""
        ...

    def await_again(self) -> "Future[Reply]":
        """The open request's reply, for one who goes on waiting when the first who waited was cancelled."""
        ...

    def close(self) -> None: ...
