"""The way of a request, in order:

    request id > health > authenticate > route > parse > authorize > dispatch > serialize > log

Each step is a line of `Gateway._answer`; what goes wrong in any of them is worded in one place, `_refuse`.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from lambent.api.access_log import AccessLog
from lambent.api.authorize import Authorizer, require_permission
from lambent.api.caller import caller_of
from lambent.api.dev_credentials import DevCredentials
from lambent.api.errors import UnknownRequestError, internal_failure, unknown_request
from lambent.api.health import HEALTH_PATH, health
from lambent.api.route import Offered, Router, family_of
from lambent.api.unsigned import UNSIGNED_OPERATIONS, nobody
from lambent.base.clock import Clock, SystemClock
from lambent.base.ids import new_uuid
from lambent.http.message import Request, Response
from lambent.model.credential import CredentialSource
from lambent.model.error import ServiceException
from lambent.model.service import Service
from lambent.wire.service import Match
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.verify import Verified, Verifier
from lambent.wire.streams import settle_stream


class Authenticator(Protocol):
    async def verify(self, request: Request) -> Verified:
        """Raises SignatureError, ServiceException."""
        ...


class _Exchange(msgspec.Struct):
    """What is known of one request so far: for its error, should it end in one, and for the log."""

    request_id: str
    signing_name: str | None = None
    offered: Offered | None = None
    match: Match | None = None


class Gateway:
    """Answers the requests of one listener: `HttpListener(gateway.handle, refusal=refuse)`.

    With DevCredentials nothing is verified (see there); with any other source every signature is."""

    def __init__(
        self,
        services: Sequence[Service],
        credentials: CredentialSource,
        authorizer: Authorizer,
        clock: Clock | None = None,
        *,
        slow_request_seconds: float = 10.0,
    ) -> None:
        clock = clock or SystemClock()
        self._authenticator: Authenticator = (
            credentials if isinstance(credentials, DevCredentials) else Verifier(credentials, clock)
        )
        self._router = Router(services)
        self._authorizer = authorizer
        self._monotonic = clock.monotonic
        self._log = AccessLog(slow_request_seconds)

    async def handle(self, request: Request) -> Response:
        """Always answers; nothing but a cancellation gets out."""
        began = self._monotonic()
        exchange = _Exchange(new_uuid())
        try:
            response = await self._answer(request, exchange)
        except Exception as error:
            response = self._refuse(request, exchange, error)
        self._log.write(request, response.status, exchange, self._monotonic() - began)
        return response

    async def _answer(self, request: Request, exchange: _Exchange) -> Response:
        if request.path == HEALTH_PATH:
            return health(request)
        try:
            verified = await self._authenticator.verify(request)
        except SignatureError as error:
            return await self._answer_unsigned(request, exchange, error)
        exchange.signing_name = verified.service
        exchange.offered, exchange.match = offered, match = self._router.route(request, verified.service)
        operation = offered.operation(match)
        if request.stream is not None:
            await settle_stream(request, match)
        parameters = offered.wire.parse(match, request)
        caller = caller_of(verified, request, exchange.request_id)
        await require_permission(
            self._authorizer,
            caller,
            offered.service,
            offered.wire.signing_name,
            match.operation,
            parameters,
        )
        output = await operation(caller, parameters)
        return offered.wire.serialize(match, output, exchange.request_id)

    async def _answer_unsigned(
        self, request: Request, exchange: _Exchange, missing: SignatureError
    ) -> Response:
        """A few operations are for whoever brings something else than a signature. Raises `missing` for all others."""
        if missing.fault is not Fault.MISSING or request.stream is not None:
            raise missing
        try:
            offered, match = self._router.route(request, None)
            operation = offered.operation(match)
        except (UnknownRequestError, ServiceException):
            raise missing from None
        if (offered.wire.signing_name, match.operation) not in UNSIGNED_OPERATIONS:
            raise missing
        exchange.offered, exchange.match = offered, match
        parameters = offered.wire.parse(match, request)
        output = await operation(nobody(request, exchange.request_id), parameters)
        return offered.wire.serialize(match, output, exchange.request_id)

    def _refuse(self, request: Request, exchange: _Exchange, error: Exception) -> Response:
        """The answer to an error of any step, in the words and the protocol of the service that was asked."""
        wire, protocol = self._router.voice(request, exchange.signing_name, exchange.offered)
        if exchange.match is not None:
            protocol = exchange.match.protocol
        if isinstance(error, SignatureError):
            error = error.for_family(family_of(wire.signing_name, protocol))
        elif isinstance(error, UnknownRequestError):
            error = unknown_request(error, family_of(wire.signing_name, protocol))
        elif not isinstance(error, ServiceException):
            self._log.failed(exchange.request_id, request, error)
            error = internal_failure(wire.name)
        return wire.serialize_error(exchange.match or protocol, error, exchange.request_id)
