"""The way in: doors for what is not the AWS API, and the gateway for everything else."""

from collections.abc import Callable, Sequence

from lambent.environments.blanks import Handler
from lambent.http.message import Request, Response
from lambent.server.part import Door
from lambent.services.lambda_.function_urls.addresses import is_function_url


class Doorway:
    """The handler of a listener: doors for what is not the AWS API, and the gateway for everything else. Opened when
    there is something behind it."""

    def __init__(
        self,
        gateway: Handler | None = None,
        doors: Sequence[Door] = (),
        dressers: Sequence[Callable[[Request, Response], None]] = (),
    ) -> None:
        self._gateway = gateway
        self._doors = doors
        self._dressers = dressers

    def open(
        self,
        gateway: Handler,
        doors: Sequence[Door],
        dressers: Sequence[Callable[[Request, Response], None]],
    ) -> None:
        self._gateway = gateway
        self._doors = doors
        self._dressers = dressers

    async def __call__(self, request: Request) -> Response:
        assert self._gateway is not None
        handler = self._gateway
        for door in self._doors:
            if door.opens(request):
                handler = door.handler
                break
        response = await handler(request)
        if "origin" in request.headers and not is_function_url(request):
            for dress in self._dressers:
                dress(request, response)
        return response
