"""The Lambda Runtime API, version 2018-06-01, as every environment has it on its own 127.0.0.1:9001.

For runtimes that speak it, this is their link. Behind our own bootstraps, which use the channel, it stands closed: it
says so to code that calls it, and changes nothing.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from lambent.environments.link import (
    RESPONSE_BYTES_MOST,
    InvokeRequest,
    LinkClosedError,
    NotTakenError,
    Reply,
    error_object,
    response_too_large,
)
from lambent.environments.streaming import Streaming
from lambent.http.body import BodyStream
from lambent.http.message import Request, Response

_PREFIX = "/2018-06-01/runtime/"
_MODE = "lambda-runtime-function-response-mode"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"
_END_SECONDS = 0.2
"""How much later than its connection the end of a process may be noticed."""
_ACCEPTED = b'{"status":"OK"}\n'


def is_streamed_response(method: str, target: str, headers: Mapping[str, str]) -> bool:
    """For http.reader.Streams: the response of a function, which its runtime sends while it comes into being."""
    return method == "POST" and target.startswith(_PREFIX) and _is_streaming(headers)


class RuntimeApi:
    """One environment's Runtime API, and the link to the runtime that calls it. Implements `link.Link`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Future[InvokeRequest] | None = None
        self._offered: InvokeRequest | None = None
        self._current: InvokeRequest | None = None
        self._streaming = False
        """Its response has begun, and is not whole."""
        self._initialized = False
        self._waiting: asyncio.Future[Reply] | None = None
        self._early: Reply | None = None
        self._error: Exception | None = None

    # link.Link

    def ready(self) -> "asyncio.Future[Reply]":
        """Such a runtime starts when it is initialized; there is nothing to wait for before."""
        reply: asyncio.Future[Reply] = self._loop.create_future()
        reply.set_result(Reply("ready"))
        return reply

    def initialize(self, settings: Mapping[str, Any]) -> "asyncio.Future[Reply]":
        return self._expect()

    def invoke(self, request: InvokeRequest) -> "asyncio.Future[Reply]":
        if self._error is not None:
            self._error = NotTakenError(*self._error.args)
        reply = self._expect()
        if self._next is not None and not self._next.done():
            self._next.set_result(request)
        else:
            self._offered = request
        return reply

    def await_again(self) -> "asyncio.Future[Reply]":
        return self._expect()

    def close(self) -> None:
        """The process behind this API is gone, or is of no more use."""
        not_taken = self._offered is not None
        self._error = self._error or (NotTakenError if not_taken else LinkClosedError)("the runtime ended")
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(self._error)
        if self._next is not None and not self._next.done():
            self._next.cancel()

    def _expect(self) -> "asyncio.Future[Reply]":
        reply: asyncio.Future[Reply] = self._loop.create_future()
        if self._error is not None:
            reply.set_exception(self._error)
        elif self._early is not None:
            reply.set_result(self._early)
            self._early = None
        else:
            self._waiting = reply
        return reply

    def _answer(self, reply: Reply) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.cancelled():
            self._early = reply  # who waits, or goes on waiting, has not come yet
        elif not waiting.done():
            waiting.set_result(reply)

    # The HTTP side

    async def handle(self, request: Request) -> Response:
        if not request.path.startswith(_PREFIX):
            return _error(404, "Runtime.UnknownPath", f"there is no {request.path} in the Runtime API")
        operation = request.path[len(_PREFIX) :].split("/")
        match request.method, operation:
            case "GET", ["invocation", "next"]:
                return await self._next_invocation()
            case "POST", ["invocation", request_id, "response"]:
                take = self._take_stream if _is_streaming(request.headers) else self._take_response
                return await take(request_id, request)
            case "POST", ["invocation", request_id, "error"]:
                return self._take_error(request_id, request)
            case "POST", ["init", "error"]:
                return self._take_init_error(request)
        return _error(
            404, "Runtime.UnknownPath", f"there is no {request.method} {request.path} in the Runtime API"
        )

    async def _next_invocation(self) -> Response:
        if self._current is not None:
            return _error(403, "InvalidStateTransition", "the current invocation has not been answered")
        if self._next is not None:
            return _error(403, "InvalidStateTransition", "another request for the next invocation is waiting")
        if not self._initialized:
            self._initialized = True
            self._answer(Reply("initialized"))
        if self._offered is not None:
            invocation, self._offered = self._offered, None
        else:
            self._next = self._loop.create_future()
            try:
                invocation = await self._next
            except asyncio.CancelledError:
                if not self._next.cancelled():
                    self._offered = self._next.result()  # for the client's next connection
                raise
            finally:
                self._next = None
        self._current = invocation
        return Response(200, _invocation_headers(invocation), invocation.payload)

    async def _take_response(self, request_id: str, request: Request) -> Response:
        if refusal := self._refuse_unless_current(request_id):
            return refusal
        self._current = None
        if len(request.body) > RESPONSE_BYTES_MOST:
            self._answer(response_too_large())
            return _error(
                413,
                "RequestEntityTooLarge",
                f"Exceeded maximum allowed payload size ({RESPONSE_BYTES_MOST} bytes).",
            )
        self._answer(Reply("result", request.body))
        return Response(202, [("Content-Type", "application/json")], _ACCEPTED)

    async def _take_stream(self, request_id: str, request: Request) -> Response:
        if refusal := self._refuse_unless_current(request_id):
            return refusal
        current, self._streaming = self._current, True
        assert current is not None
        free = asyncio.Event()
        free.set()
        streaming = Streaming(current.sink, request.headers.get("content-type"), free.clear, free.set)
        pieces = request.stream or _whole(request.body)
        try:
            async for piece in pieces:
                streaming.write(piece)
                await free.wait()
        except asyncio.CancelledError:
            self._loop.call_later(_END_SECONDS, self._truncate, current)
            raise
        self._current, self._streaming = None, False
        trailers = pieces.trailers if isinstance(pieces, BodyStream) else {}
        if _ERROR_TYPE in trailers or _ERROR_BODY in trailers:
            error = _decoded(trailers.get(_ERROR_BODY, ""))
            self._answer(Reply("failed", error, trailers.get(_ERROR_TYPE, "Runtime.Unknown")))
        else:
            self._answer(streaming.end())
        return Response(202, [("Content-Type", "application/json")], _ACCEPTED)

    def _truncate(self, invocation: InvokeRequest) -> None:
        """The connection of its response broke off: unless the runtime did, too, it goes on with the next."""
        if self._current is invocation and self._error is None:
            self._current, self._streaming = None, False
            error = error_object("Response body was truncated", "Runtime.TruncatedResponse")
            self._answer(Reply("failed", error, "Runtime.TruncatedResponse"))

    def _take_error(self, request_id: str, request: Request) -> Response:
        if refusal := self._refuse_unless_current(request_id):
            return refusal
        self._current = None
        self._answer(Reply("failed", request.body, _error_type(request)))
        return Response(202, [("Content-Type", "application/json")], _ACCEPTED)

    def _take_init_error(self, request: Request) -> Response:
        if self._initialized:
            return _error(403, "InvalidStateTransition", "the runtime has been initialized already")
        self._initialized = True
        self._answer(Reply("init_failed", request.body, _error_type(request)))
        return Response(202, [("Content-Type", "application/json")], _ACCEPTED)

    def _refuse_unless_current(self, request_id: str) -> Response | None:
        if self._current is None or self._streaming:
            return _error(403, "InvalidStateTransition", "there is no invocation to answer")
        if request_id != self._current.request_id:
            return _error(400, "InvalidRequestID", "this is not the current invocation")
        return None


async def closed_runtime_api(request: Request) -> Response:
    """What user code finds at this address behind a bootstrap of ours, which has the invocations for itself."""
    return _error(
        403, "InvalidStateTransition", "the managed runtime of this environment takes the invocations"
    )


def _invocation_headers(invocation: InvokeRequest) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.invoked_arn),
    ]
    if invocation.trace_id is not None:
        headers.append(("Lambda-Runtime-Trace-Id", invocation.trace_id))
    if invocation.client_context is not None:
        headers.append(("Lambda-Runtime-Client-Context", invocation.client_context))
    if invocation.tenant_id is not None:
        headers.append(("Lambda-Runtime-Aws-Tenant-Id", invocation.tenant_id))
    if invocation.identity is not None:
        headers.append(("Lambda-Runtime-Cognito-Identity", orjson.dumps(invocation.identity).decode()))
    return headers


def _is_streaming(headers: Mapping[str, str]) -> bool:
    return headers.get(_MODE, "").lower() == "streaming"


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode("latin-1")


def _error_type(request: Request) -> str:
    return request.headers.get(_ERROR_TYPE, "Runtime.Unknown")


def _error(status: int, error_type: str, message: str) -> Response:
    return Response(status, [("Content-Type", "application/json")], error_object(message, error_type))
