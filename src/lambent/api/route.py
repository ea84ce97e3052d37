"""Which service a request is for, and which of its operations.

A signature's scope names the service, by a name that several may share (apigateway and apigatewayv2). An unsigned
request is asked of each service, by host first; S3 last, as any path could be a bucket's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from lambent.api.errors import UnknownRequestError
from lambent.http.message import Request
from lambent.model.service import Operation, Service
from lambent.wire.s3_hosts import move_bucket_to_path
from lambent.wire.service import Match, WireService, load_service
from lambent.wire.sigv4.canonical import S3_SIGNING_NAMES
from lambent.wire.sigv4.errors import Family


@dataclass(frozen=True, slots=True)
class Offered:
    """A service, and how it is spoken to."""

    service: Service
    wire: WireService

    def operation(self, match: Match) -> Operation:
        """Raises UnknownRequestError where the model has it and Lambent does not."""
        operation = self.service.operations.get(match.operation)
        if operation is None:
            raise UnknownRequestError(
                f"Lambent does not offer the operation {match.operation} of {self.wire.name}."
            )
        return operation


class Router:
    def __init__(self, services: Sequence[Service]) -> None:
        assert services, "a gateway without services"
        offered = [Offered(service, load_service(service.name)) for service in services]
        self._by_signing_name: dict[str, list[Offered]] = {}
        for one in offered:
            self._by_signing_name.setdefault(one.wire.signing_name, []).append(one)
        self._all = sorted(offered, key=lambda one: one.wire.signing_name in S3_SIGNING_NAMES)

    def route(self, request: Request, signing_name: str | None) -> tuple[Offered, Match]:
        """`signing_name` is None where the request is not signed. Raises UnknownRequestError, ServiceException."""
        candidates = self._candidates(request, signing_name)
        if signing_name in S3_SIGNING_NAMES:
            move_bucket_to_path(request)
        for offered in candidates:
            match = offered.wire.match(request)
            if match is not None:
                return offered, match
        if not candidates:
            raise UnknownRequestError(f"Lambent does not offer the service {signing_name}.")
        raise _unknown(request)

    def voice(
        self, request: Request, signing_name: str | None, offered: Offered | None
    ) -> tuple[WireService, str]:
        """The service and protocol in which an error is told to this request, however little is known of it."""
        if offered is not None:
            return offered.wire, offered.wire.protocol_of(request)
        claimed = signing_name or _claimed_signing_name(request)
        # What is not offered of S3's family is refused as S3 would: its clients read nothing else.
        candidates = self._candidates(request, "s3" if claimed in S3_SIGNING_NAMES else claimed)
        if signing_name is None and len(candidates) > 1:
            candidates = [
                one for one in candidates if one.wire.protocol_of(request) == _mark(request)
            ] or candidates
        wire = (candidates or self._speaking(_mark(request)))[0].wire
        return wire, wire.protocol_of(request)

    def _candidates(self, request: Request, signing_name: str | None) -> list[Offered]:
        if signing_name is not None:
            return self._by_signing_name.get(signing_name, [])
        host = request.headers.get("host", "")
        named = self._by_signing_name.get(host.partition(".")[0])
        return named or self._all

    def _speaking(self, protocol: str) -> list[Offered]:
        return [one for one in self._all if protocol in one.wire.protocols] or self._all


def family_of(signing_name: str, protocol: str) -> Family:
    """How errors of authentication and routing are worded."""
    if signing_name in S3_SIGNING_NAMES:
        return "s3"
    match protocol:
        case "rest-json":
            return "rest-json"
        case "json" | "smithy-rpc-v2-cbor":
            return "json"
    return "query"


def _claimed_signing_name(request: Request) -> str | None:
    """The service that an unverified signature speaks of: good enough to word an error."""
    signed = request.headers.get("authorization") or unquote(request.query)
    parts = re.split("[,&]", signed.partition("Credential=")[2], maxsplit=1)[0].split("/")
    return parts[3] if len(parts) == 5 else None


def _mark(request: Request) -> str:
    """The protocol that a request looks like."""
    content_type = request.headers.get("content-type", "")
    if "smithy-protocol" in request.headers:
        return "smithy-rpc-v2-cbor"
    if "x-amz-target" in request.headers or content_type.startswith("application/x-amz-json"):
        return "json"
    if content_type.startswith("application/x-www-form-urlencoded") or "Action=" in request.query:
        return "query"
    return "rest-json"


def _unknown(request: Request) -> UnknownRequestError:
    """What no operation answers; of the query protocol's actions in AWS's own words."""
    target = request.headers.get("x-amz-target")
    if target is None and _mark(request) == "query":
        form = f"&{request.query}&{request.body[:4096].decode('latin-1')}"
        action = form.partition("&Action=")[2].partition("&")[0]
        if action:
            return UnknownRequestError(f"The action {action} is not valid for this endpoint.")
    asked = target or f"{request.method} {request.path}"
    return UnknownRequestError(f"Lambent knows no operation for {asked}.", nameless=target is None)
