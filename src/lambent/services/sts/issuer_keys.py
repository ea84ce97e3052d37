"""The keys with which issuers of identity tokens sign, as they publish them.

Source: https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from lambent.base.clock import Clock
from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.services.sts.errors import IDPCommunicationError, InvalidIdentityToken

Send = Callable[..., Awaitable[Response]]
"""http.client.request"""

_DISCOVERY = "/.well-known/openid-configuration"
_SECONDS = 5.0
_KEPT_SECONDS = 3600.0
_AGAIN_SECONDS = 10.0
"""Keys are asked for again where a token names one that is not there, but not for every such token."""
_ISSUERS_MOST = 1000


class IssuerKeys:
    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._monotonic = clock.monotonic
        self._known: dict[str, tuple[float, Sequence[Mapping[str, Any]]]] = {}
        self._asking: dict[str, asyncio.Task[Sequence[Mapping[str, Any]]]] = {}
        """Nobody signs what leads here: an issuer is asked once, however many tokens name a key of it at the time."""

    async def of(self, issuer: str, key_id: str | None) -> Sequence[Mapping[str, Any]]:
        """Those that a token may be signed by. Raises IDPCommunicationError, InvalidIdentityToken."""
        read_at, keys = self._known.get(issuer, (-_KEPT_SECONDS, ()))
        age = self._monotonic() - read_at
        if age >= _KEPT_SECONDS or (not _named(keys, key_id) and age >= _AGAIN_SECONDS):
            asking = self._asking.get(issuer)
            if asking is None:
                asking = self._asking[issuer] = asyncio.create_task(self._ask(issuer))
            keys = await asyncio.shield(asking)
        return _named(keys, key_id)

    async def _ask(self, issuer: str) -> Sequence[Mapping[str, Any]]:
        try:
            keys = await self._read(issuer)
        finally:
            del self._asking[issuer]
        if len(self._known) >= _ISSUERS_MOST:
            self._known.clear()
        self._known[issuer] = self._monotonic(), keys
        return keys

    async def _read(self, issuer: str) -> Sequence[Mapping[str, Any]]:
        configuration = await self._document(f"{issuer.rstrip('/')}{_DISCOVERY}")
        uri = configuration.get("jwks_uri")
        if not isinstance(uri, str) or not uri.startswith("https://"):
            raise _no_key()
        keys = (await self._document(uri)).get("keys")
        if not isinstance(keys, list):
            raise _no_key()
        return tuple(key for key in keys if isinstance(key, dict))

    async def _document(self, url: str) -> Mapping[str, Any]:
        try:
            response = await self._send("GET", url, headers={"Accept": "application/json"}, seconds=_SECONDS)
        except (RequestFailedError, ValueError) as error:
            raise IDPCommunicationError(f"The identity provider could not be reached: {error}") from None
        try:
            body = response.body if isinstance(response.body, bytes) else b""
            document = json.loads(body) if response.status == 200 else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise _no_key()
        return document


def _named(keys: Sequence[Mapping[str, Any]], key_id: str | None) -> Sequence[Mapping[str, Any]]:
    """All, for a token that names none."""
    return [key for key in keys if key_id is None or key.get("kid") == key_id]


def _no_key() -> InvalidIdentityToken:
    return InvalidIdentityToken(
        "Couldn't retrieve verification key from your identity provider, please reference "
        "AssumeRoleWithWebIdentity documentation for requirements"
    )
