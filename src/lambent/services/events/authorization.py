"""What a request to an API destination is authorized with: headers, from a connection's secrets or an OAuth token.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from lambent.base.clock import Clock
from lambent.base.sealing import Sealing
from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.model.connection import Connection

_SECONDS = 5.0
_EARLY_SECONDS = 60.0
_LIFETIME_SECONDS = 3600.0

Send = Callable[..., Awaitable[Response]]
"""http.client.request."""


class AuthorizationFailedError(Exception):
    """The connection has no secrets any more, or its authorization endpoint gave no token; the message says which."""


class Authorization:
    """Tokens are kept in memory until shortly before they expire."""

    def __init__(self, sealing: Sealing, send: Send, clock: Clock) -> None:
        self._sealing = sealing
        self._send = send
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}

    def forget(self, connection_id: str) -> None:
        """Its token: it was refused, or the connection has changed."""
        self._tokens.pop(connection_id, None)

    def parameters(self, connection: Connection) -> Mapping[str, Any]:
        """Its InvocationHttpParameters."""
        opened = self._sealing.open(connection.sealed, connection.id)
        return opened.get("InvocationHttpParameters") or {}

    async def headers(self, connection: Connection) -> Mapping[str, str]:
        """Raises AuthorizationFailedError."""
        opened = self._sealing.open(connection.sealed, connection.id)
        try:
            if connection.authorization_type == "BASIC":
                basic = opened["BasicAuthParameters"]
                pair = f"{basic['Username']}:{basic['Password']}"
                return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
            if connection.authorization_type == "API_KEY":
                key = opened["ApiKeyAuthParameters"]
                return {key["ApiKeyName"]: key["ApiKeyValue"]}
            return {"Authorization": f"Bearer {await self._token(connection.id, opened['OAuthParameters'])}"}
        except KeyError:
            raise AuthorizationFailedError("The connection is deauthorized.") from None

    async def _token(self, id: str, oauth: Mapping[str, Any]) -> str:
        known = self._tokens.get(id)
        if known is not None and known[1] > self._clock.now():
            return known[0]
        answer = await self._ask(oauth)
        try:
            members = orjson.loads(answer.body if isinstance(answer.body, bytes) else b"")
            token = str(members["access_token"])
            lifetime = float(members.get("expires_in", _LIFETIME_SECONDS))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise AuthorizationFailedError(
                f"The authorization endpoint answered {answer.status} without an access_token."
            ) from None
        self._tokens[id] = (token, self._clock.now() + max(0.0, lifetime - _EARLY_SECONDS))
        return token

    async def _ask(self, oauth: Mapping[str, Any]) -> Response:
        client, extra = oauth["ClientParameters"], oauth.get("OAuthHttpParameters") or {}
        form = {
            "grant_type": "client_credentials",
            "client_id": client["ClientID"],
            "client_secret": client["ClientSecret"],
            **pairs(extra.get("BodyParameters")),
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            **pairs(extra.get("HeaderParameters")),
        }
        url = with_query(oauth["AuthorizationEndpoint"], pairs(extra.get("QueryStringParameters")))
        try:
            answer = await self._send(
                oauth["HttpMethod"], url, headers=headers, body=urlencode(form).encode(), seconds=_SECONDS
            )
        except (RequestFailedError, ValueError) as error:
            raise AuthorizationFailedError(f"The authorization endpoint: {error}") from error
        if not 200 <= answer.status < 300:
            raise AuthorizationFailedError(f"The authorization endpoint answered {answer.status}.")
        return answer


def pairs(parameters: Any) -> dict[str, str]:
    """Of a list of Key, Value (and IsValueSecret)."""
    return {each["Key"]: each.get("Value", "") for each in parameters or ()}


def with_query(url: str, query: Mapping[str, str]) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
