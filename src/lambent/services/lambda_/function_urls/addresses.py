"""The host names of function URLs, and what they lead to.

AWS has https://ID.lambda-url.REGION.on.aws/. Ours are http://ID.lambda-url.REGION.DOMAIN:PORT/, with a domain that this
host resolves; a request is recognised by its Host header, whatever the domain.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.function import FunctionId
from lambent.model.function_url import FunctionUrl
from lambent.store.ports.function_urls import FunctionUrlStore

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 32
_HOST = re.compile(r"([a-z0-9]{32})\.lambda-url\.([a-z0-9-]+)\.[a-z0-9.-]+(?::\d+)?", re.IGNORECASE)
_REMEMBERED_MOST = 10_000


def new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def is_function_url(request: Request) -> bool:
    return ".lambda-url." in request.headers.get("host", "")


async def nothing() -> None:
    """For a server whose host knows all names."""


class Addresses:
    """`domain` is what the names end in; `endpoint` the server's own address, for callers who did not come by HTTP;
    `announce` is awaited before anybody learns of another URL, or that one is gone."""

    def __init__(
        self,
        store: FunctionUrlStore,
        domain: str,
        endpoint: Callable[[], str],
        announce: Callable[[], Awaitable[None]],
    ) -> None:
        self.announce = announce
        self._store = store
        self._domain = domain
        self._endpoint = endpoint
        self._known: dict[str, FunctionUrl] = {}
        self._changes = 0

    def of(self, url: FunctionUrl, caller: Caller) -> str:
        reached = urlsplit(caller.endpoint_url or self._endpoint())
        port = f":{reached.port}" if reached.port else ""
        return f"{reached.scheme}://{url.id}.lambda-url.{url.function.region}.{self._domain}{port}/"

    async def find(self, request: Request) -> FunctionUrl | None:
        """What the request's Host leads to, from memory where it has been there before."""
        match = _HOST.fullmatch(request.headers.get("host", ""))
        if match is None:
            return None
        id, region = match[1].lower(), match[2].lower()
        url = self._known.get(id)
        if url is None:
            changes = self._changes
            url = await self._store.by_id(id)
            if url is not None and changes == self._changes:
                if len(self._known) >= _REMEMBERED_MOST:
                    self._known.clear()
                self._known[id] = url
        return url if url is not None and url.function.region == region else None

    def forget_all(self) -> None:
        self._changes += 1
        self._known.clear()

    def forget(self, function: FunctionId) -> None:
        """A URL of the function, or the function itself, has changed."""
        self._changes += 1
        for id in [id for id, url in self._known.items() if url.function == function]:
            del self._known[id]
