"""An API destination as a target: one HTTP request for an event, authorized by the destination's connection.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destination-create.html
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.model.connection import ApiDestination, Connection
from lambent.model.delivery import Delivery
from lambent.model.json_path import dynamic, resolved
from lambent.services.events.api_destinations import resource_name
from lambent.services.events.authorization import (
    Authorization,
    AuthorizationFailedError,
    Send,
    pairs,
    with_query,
)
from lambent.store.ports.named_records import NamedRecords
from lambent.targets.failure import DeliveryFailedError

_SECONDS = 5.0
_API_DESTINATION = "api-destination/"
_RETRIED = frozenset({401, 407, 409, 429})
_HEADERS: Mapping[str, str] = {
    "User-Agent": "Amazon/EventBridge/ApiDestinations",
    "Content-Type": "application/json; charset=utf-8",
    "Range": "bytes=0-1048575",
}


def is_api_destination(arn: Arn) -> bool:
    return arn.service == "events" and arn.resource.startswith(_API_DESTINATION)


class HttpTarget:
    """`invoked` counts how often each destination was invoked in the current second."""

    def __init__(
        self,
        destinations: NamedRecords[ApiDestination],
        connections: NamedRecords[Connection],
        authorization: Authorization,
        send: Send,
        clock: Clock,
    ) -> None:
        self._destinations = destinations
        self._connections = connections
        self._authorization = authorization
        self._send = send
        self._clock = clock
        self._invoked: dict[str, tuple[int, int]] = {}

    async def deliver(self, delivery: Delivery, arn: Arn) -> None:
        """Raises DeliveryFailedError."""
        destination = await self._destinations.get(resource_name(str(arn)))
        if destination is None or arn.account_id != delivery.account_id:
            raise DeliveryFailedError("NO_RESOURCE", f"{arn} does not exist.")
        connection = await self._connections.get(resource_name(destination.connection_arn))
        if connection is None:
            raise DeliveryFailedError("NO_RESOURCE", f"{destination.connection_arn} does not exist.")
        self._take_turn(destination)
        try:
            authorized = await self._authorization.headers(connection)
        except AuthorizationFailedError as error:
            raise DeliveryFailedError("CONNECTION_FAILURE", str(error), retriable=True) from error
        answer = await self._request(
            destination, self._authorization.parameters(connection), authorized, delivery
        )
        if answer.status == 401:
            self._authorization.forget(connection.id)
        _require_success(answer)

    async def _request(
        self,
        destination: ApiDestination,
        connection: Mapping[str, Any],
        authorized: Mapping[str, str],
        delivery: Delivery,
    ) -> Response:
        """The connection's parameters go before the target's, which may be paths into the event."""
        target = _http_parameters(delivery)
        url = destination.endpoint
        for value in target.get("PathParameterValues") or ():
            url = url.replace("*", value, 1)
        query = {
            **(target.get("QueryStringParameters") or {}),
            **pairs(connection.get("QueryStringParameters")),
        }
        headers = _without_case(
            _HEADERS,
            target.get("HeaderParameters") or {},
            pairs(connection.get("HeaderParameters")),
            authorized,
        )
        body = _with_members(delivery.payload, pairs(connection.get("BodyParameters")))
        try:
            return await self._send(
                destination.method, with_query(url, query), headers=headers, body=body, seconds=_SECONDS
            )
        except RequestFailedError as error:
            raise DeliveryFailedError("CONNECTION_FAILURE", str(error), retriable=True) from error
        except ValueError as error:
            raise DeliveryFailedError("INVALID_PARAMETER", str(error)) from error

    def _take_turn(self, destination: ApiDestination) -> None:
        """Raises DeliveryFailedError where the destination has had its invocations of this second."""
        second = int(self._clock.now())
        last, count = self._invoked.get(destination.id, (second, 0))
        count = count if last == second else 0
        if count >= destination.rate:
            raise DeliveryFailedError("THROTTLING", "The rate limit of the destination.", retriable=True)
        self._invoked[destination.id] = (second, count + 1)


def _http_parameters(delivery: Delivery) -> Mapping[str, Any]:
    given = delivery.target.get("HttpParameters") or {}
    if next(dynamic(given), None) is None:
        return given
    event = orjson.loads(delivery.payload if delivery.event is None else delivery.event)
    paths = [
        quote(str(resolved(value, event) or ""), safe="") if value.startswith("$") else value
        for value in given.get("PathParameterValues") or ()
    ]
    return {**resolved(given, event), "PathParameterValues": paths}


def _require_success(answer: Response) -> None:
    if not 200 <= answer.status < 300:
        raise DeliveryFailedError(
            "ERROR_FROM_TARGET",
            f"The destination answered {answer.status}.",
            retriable=answer.status in _RETRIED or answer.status >= 500,
        )


def _without_case(*headers: Mapping[str, str]) -> dict[str, str]:
    """Later ones replace earlier ones of the same name, in whatever case."""
    found: dict[str, tuple[str, str]] = {}
    for some in headers:
        for name, value in some.items():
            found[name.lower()] = (name, value)
    return dict(found.values())


def _with_members(payload: bytes, members: Mapping[str, str]) -> bytes:
    """Body parameters are members of a body that is an object."""
    if not members:
        return payload
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload
    return orjson.dumps({**body, **members}) if isinstance(body, dict) else payload
