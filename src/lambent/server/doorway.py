"""The way in: doors for what is not the AWS API, and the gateway for everything else."""

from collections.abc import Callable, Sequence

from lambent.api.errors import refuse
from lambent.api.health import HEALTH_PATH, health
from lambent.environments.blank import Handler
from lambent.http.message import Request, Response
from lambent.server.part import Door
from lambent.services.lambda_.function_urls.addresses import is_function_url

_SIGNED = "AWS4-HMAC-SHA256 "


async def without_api(request: Request) -> Response:
    """In the place of the gateway on a node that serves others only."""
    if request.path == HEALTH_PATH:
        return health(request)
    return refuse(503, "This node takes no requests: its roles are without api.")


class Doorway:
    """The handler of a listener: doors for what is not the AWS API, and the gateway for everything else. Opened when
    there is something behind it."""

    def __init__(self) -> None:
        self._gateway: Handler | None = None
        self._doors: Sequence[Door] = ()
        self._doors_for_signed: Sequence[Door] = ()
        self._dressers: Sequence[Callable[[Request, Response], None]] = ()

    def open(
        self,
        gateway: Handler,
        doors: Sequence[Door],
        dressers: Sequence[Callable[[Request, Response], None]],
    ) -> None:
        self._gateway = gateway
        self._doors = doors
        # What is signed is nearly always for the AWS API, and nearly always in a hurry.
        self._doors_for_signed = [door for door in doors if door.for_signed]
        self._dressers = dressers

    async def __call__(self, request: Request) -> Response:
        assert self._gateway is not None
        headers = request.headers
        handler = self._gateway
        signed = headers.get("authorization", "").startswith(_SIGNED)
        for door in self._doors_for_signed if signed else self._doors:
            if door.opens(request):
                handler = door.handler
                break
        response = await handler(request)
        if "origin" in headers and not is_function_url(request):
            for dress in self._dressers:
                dress(request, response)
        return response
