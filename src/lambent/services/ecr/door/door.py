"""The registry's door: who asks, for what, and the answer. Each request becomes operations of the ecr service."""

import base64
import binascii
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lambent.base.arn import partition_of
from lambent.base.ids import new_uuid
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.model.error import ServiceException
from lambent.model.image import ecr_registry
from lambent.model.service import Client
from lambent.services.ecr.authorization import USER, Authorization
from lambent.services.ecr.door.blobs import Blobs
from lambent.services.ecr.door.errors import API_VERSION, RegistryError, answer, of_aws
from lambent.services.ecr.door.manifests import Manifests
from lambent.services.ecr.door.route import Route, route
from lambent.services.ecr.door.visit import Visit
from lambent.services.ecr.layers import Layers
from lambent.store.ports.layer_contents import LayerContents

log = logging.getLogger(__name__)

_PREFIX = "/v2/"
_CHALLENGE = ("WWW-Authenticate", 'Basic realm="Amazon ECR",service="ecr.amazonaws.com"')

Stranger = Callable[[Request], Awaitable[Caller | None]]
"""Who asks without a password, where that is allowed; None elsewhere. Raises ServiceException."""


class RegistryDoor:
    def __init__(
        self,
        client: Client,
        layers: Layers,
        contents: LayerContents,
        authorization: Authorization,
        stranger: Stranger,
    ) -> None:
        self._authorization = authorization
        self._stranger = stranger
        blobs, manifests = Blobs(client, layers, contents), Manifests(client)
        self._handlers: dict[tuple[str, str], Callable[[Visit, Request], Awaitable[Response]]] = {
            ("GET", "base"): _base,
            ("HEAD", "base"): _base,
            **blobs.handlers(),
            **manifests.handlers(),
        }

    def opens(self, request: Request) -> bool:
        return request.path.startswith(_PREFIX) or request.path == "/v2"

    async def handle(self, request: Request) -> Response:
        try:
            caller = await self._caller(request)
            asked = route(request)
            response = await self._answer(caller, asked, request)
        except RegistryError as error:
            response = answer(error)
        except ServiceException as error:
            response = answer(of_aws(error))
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = answer(RegistryError(500, "UNKNOWN", "internal error; the server's log says more"))
        if request.method == "HEAD" and isinstance(response.body, bytes):
            response.body = b""
        return response

    async def _answer(self, caller: Caller, asked: Route, request: Request) -> Response:
        handler = self._handlers.get((request.method, asked.kind))
        if handler is None:
            raise RegistryError(405, "UNSUPPORTED", f"{request.method} is not offered here")
        registry = ecr_registry(request.headers.get("host", ""))
        account_id, region = registry or (caller.account_id, caller.region)
        if partition_of(region) != caller.partition:
            raise RegistryError(403, "DENIED", f"the password is not of a registry in {region}")
        visit = Visit(caller=replace(caller, region=region), registry_id=account_id, asked=asked)
        response = await handler(visit, request)
        response.headers.insert(0, API_VERSION)
        return response

    async def _caller(self, request: Request) -> Caller:
        header = request.headers.get("authorization", "")
        caller = self._by_password(header) or await self._stranger(request)
        if caller is None:
            message = (
                "Your authorization token has expired or is invalid."
                if header
                else "no basic auth credentials"
            )
            raise RegistryError(401, "UNAUTHORIZED", message, (_CHALLENGE,))
        return replace(
            caller,
            request_id=new_uuid(),
            source_ip=request.peer,
            user_agent=request.headers.get("user-agent", ""),
            endpoint_url=f"http://{request.headers.get('host', '')}",
            headers=request.headers,
        )

    def _by_password(self, header: str) -> Caller | None:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self._authorization.caller_of(password) if user == USER else None


async def _base(visit: Visit, request: Request) -> Response:
    return Response(200, [("Content-Type", "application/json")], b"{}")
