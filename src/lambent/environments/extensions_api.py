"""The Lambda Extensions API, version 2020-01-01, and what extensions ask of the Telemetry API: HTTP.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import msgspec
import orjson

from lambent.base.ids import new_uuid
from lambent.environments import subscriptions
from lambent.environments.extensions import Extension, Extensions, RegistrationError
from lambent.environments.link import error_object
from lambent.environments.subscriptions import RefusedError
from lambent.http.message import Request, Response

PREFIX = "/2020-01-01/extension/"
_JSON = ("Content-Type", "application/json")


class _Registration(msgspec.Struct):
    events: list[str] = []


class ExtensionsApi:
    """Of one environment's extensions."""

    def __init__(self, extensions: Extensions) -> None:
        self._extensions = extensions

    async def handle(self, request: Request) -> Response:
        match request.method, request.path.removeprefix(PREFIX):
            case "POST", "register":
                return self._register(request)
            case "GET", "event/next":
                return await self._next(request)
            case "POST", "init/error":
                return self._report(request, "InitError")
            case "POST", "exit/error":
                return self._report(request, "ExitError")
        return _no_path(request)

    def subscribe(self, request: Request) -> Response:
        """Of the Telemetry API and the Logs API."""
        api = subscriptions.PATHS[request.path.rstrip("/")]
        if request.method != "PUT":
            return _no_path(request)
        one = self._whose(request)
        if isinstance(one, Response):
            return one
        telemetry = self._extensions.telemetry_to_subscribe()
        if telemetry is None:
            return _error(403, f"{api}.SubscriptionClosed", f"{api} API subscription is closed already")
        try:
            answer = telemetry.subscribe(one.name, request.body, api)
        except RefusedError as refused:
            return _error(refused.status, f"{api}.{refused.code}", str(refused))
        return Response(200, [_JSON], orjson.dumps(answer))

    def _register(self, request: Request) -> Response:
        try:
            events = msgspec.json.decode(request.body, type=_Registration).events
        except msgspec.DecodeError:
            return _error(400, "InvalidRequestFormat", 'the body is not {"events": [...]}')
        try:
            one = self._extensions.register(request.headers.get("lambda-extension-name", ""), events)
        except RegistrationError as refused:
            return _error(refused.status, refused.error_type, str(refused))
        headers = [_JSON, ("Lambda-Extension-Identifier", one.identifier)]
        return Response(200, headers, orjson.dumps(self._extensions.described))

    async def _next(self, request: Request) -> Response:
        one = self._whose(request)
        if isinstance(one, Response):
            return one
        if one.waits:
            return _error(
                403, "Extension.InvalidExtensionState", "another request for the next event is waiting"
            )
        event = await self._extensions.next_event(one)
        return Response(200, [_JSON, ("Lambda-Extension-Event-Identifier", new_uuid())], orjson.dumps(event))

    def _report(self, request: Request, state: str) -> Response:
        one = self._whose(request)
        if isinstance(one, Response):
            return one
        error_type = request.headers.get("lambda-extension-function-error-type") or f"Extension.{state}"
        self._extensions.report(one, state, error_type)
        return Response(202, [_JSON], b'{"status":"OK"}\n')

    def _whose(self, request: Request) -> Extension | Response:
        identifier = request.headers.get("lambda-extension-identifier")
        if not identifier:
            return _error(403, "Extension.MissingHeader", "Missing Lambda-Extension-Identifier header")
        one = self._extensions.find(identifier)
        if one is None:
            return _error(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        return one


def _no_path(request: Request) -> Response:
    return _error(404, "Extension.UnknownPath", f"there is no {request.method} {request.path}")


def _error(status: int, error_type: str, message: str) -> Response:
    return Response(status, [_JSON], error_object(message, error_type))
