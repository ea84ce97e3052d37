"""The way of a request to a function URL. Start here.

address ─► preflight ─► who calls, and may they ─► event ─► the function ─► response ─► CORS
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_trace_header, new_uuid
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.model.error import ServiceException
from lambent.model.function_url import FunctionUrl
from lambent.model.invocation import Invocation
from lambent.model.metric import Metrics
from lambent.services.lambda_.function_urls.access import Access, anybody, is_signed
from lambent.services.lambda_.function_urls.addresses import Addresses
from lambent.services.lambda_.function_urls.cors import is_preflight, preflight_headers, with_cors
from lambent.services.lambda_.function_urls.event import event_of
from lambent.services.lambda_.function_urls.response import (
    JSON,
    MalformedResponseError,
    internal_server_error,
    response_of,
)
from lambent.services.lambda_.function_urls.streamed import collected_response, streamed_response
from lambent.services.lambda_.invoke import SYNCHRONOUS_LARGEST
from lambent.services.lambda_.ports import Invoker, ResponseStream

Authenticate = Callable[[Request, str], Awaitable[Caller]]
"""Who signed a request, which gets this id. Raises a ServiceException."""

_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class FunctionUrlDoor:
    def __init__(
        self,
        *,
        addresses: Addresses,
        access: Access,
        authenticate: Authenticate,
        invoker: Invoker,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._addresses = addresses
        self._access = access
        self._authenticate = authenticate
        self._invoker = invoker
        self._metrics = metrics
        self._clock = clock

    async def handle(self, request: Request) -> Response:
        request_id = new_uuid()
        began = self._clock.monotonic()
        url = await self._addresses.find(request)
        if url is None:
            response = _refusal(403, "AccessDeniedException", {"Message": None})
        elif url.cors is not None and is_preflight(request):
            response = Response(200, [("content-type", JSON), *preflight_headers(url.cors, request)])
        else:
            response = await self._answer(request, url, request_id)
            self._count(url, response.status, self._clock.monotonic() - began)
        response.headers.append(("x-amzn-requestid", request_id))
        return response

    async def _answer(self, request: Request, url: FunctionUrl, request_id: str) -> Response:
        try:
            caller = await self._caller(request, url, request_id)
            await self._access.require(url, caller or anybody(url, request, request_id))
        except _ForbiddenError:
            return _refusal(403, "AccessDeniedException", {"Message": _FORBIDDEN})
        except ServiceException as error:
            if error.code == "AccessDeniedException":
                return _refusal(403, error.code, {"Message": _FORBIDDEN})
            return _refusal(403, error.code, {"message": error.message})
        trace_id = request.headers.get("x-amzn-trace-id") or new_trace_header(self._clock.now())
        event = event_of(
            request, url, caller=caller, request_id=request_id, trace_id=trace_id, now=self._clock.now()
        )
        if len(event) > SYNCHRONOUS_LARGEST:
            message = (
                f"Request must be smaller than {SYNCHRONOUS_LARGEST} bytes for the InvokeFunction operation"
            )
            return _refusal(413, "RequestEntityTooLargeException", {"Message": message})
        response = await self._invoke(request, url, request_id, trace_id, event)
        if url.cors is not None:
            response.headers = with_cors(url.cors, request, response.headers)
        response.headers.append(("x-amzn-trace-id", trace_id))
        return response

    async def _caller(self, request: Request, url: FunctionUrl, request_id: str) -> Caller | None:
        """None where nobody needs to sign. Raises a ServiceException, _ForbiddenError."""
        if url.auth_type == "NONE":
            return None
        if not is_signed(request):
            raise _ForbiddenError
        caller = await self._authenticate(request, request_id)
        if caller.region != url.function.region:
            raise _ForbiddenError
        return caller

    async def _invoke(
        self, request: Request, url: FunctionUrl, request_id: str, trace_id: str, event: bytes
    ) -> Response:
        invocation = Invocation(
            request_id=request_id,
            function=url.function,
            qualifier=url.qualifier or None,
            invoked_arn=url.function.arn(url.qualifier, partition_of(url.function.region)),
            payload=event,
            trace_id=trace_id,
            tenant_id=request.headers.get("x-amz-tenant-id"),
        )
        try:
            stream = await self._invoker.stream(invocation)
            response = await _response(stream, url.invoke_mode)
        except MalformedResponseError:
            return internal_server_error()
        except ServiceException as error:
            if error.code == "TooManyRequestsException":
                return _refusal(429, error.code, {**error.members, "message": error.message})
            if error.code == "ResourceNotFoundException":  # the alias was deleted
                return _refusal(403, "AccessDeniedException", {"Message": _FORBIDDEN})
            return internal_server_error()
        if request.method == "HEAD" and not isinstance(response.body, bytes):
            stream.leave()
            response.body = b""
        return response

    def _count(self, url: FunctionUrl, status: int, seconds: float) -> None:
        where = url.function.account_id, url.function.region, "AWS/Lambda"
        dimensions = {"FunctionName": url.function.name}
        counts = {"UrlRequestCount": True, "Url4xxCount": 400 <= status < 500, "Url5xxCount": status >= 500}
        for name, counted in counts.items():
            if counted:
                self._metrics.put(*where, name, 1, unit="Count", dimensions=dimensions)
        self._metrics.put(
            *where, "UrlRequestLatency", seconds * 1000, unit="Milliseconds", dimensions=dimensions
        )


class _ForbiddenError(Exception):
    """Nobody signed, or for another region."""


async def _response(stream: ResponseStream, invoke_mode: str) -> Response:
    """Raises MalformedResponseError."""
    if invoke_mode == "RESPONSE_STREAM":
        return await streamed_response(stream)
    if stream.streamed:
        return await collected_response(stream)
    async for _ in stream.pieces():
        pass
    assert stream.result is not None
    if stream.result.function_error is not None:
        return internal_server_error()
    return response_of(stream.result.payload)


def _refusal(status: int, code: str, body: Mapping[str, Any]) -> Response:
    return Response(status, [("content-type", JSON), ("x-amzn-errortype", code)], orjson.dumps(body))
