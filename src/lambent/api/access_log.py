"""One line for each request at debug level, one for each slow one at any, and the trace of what failed."""

import logging
from typing import Protocol

from lambent.api.route import Offered
from lambent.http.message import Request
from lambent.wire.service import Match

log = logging.getLogger("lambent.access")

_WAITING_BY_DESIGN = frozenset(
    {
        ("lambda", "Invoke"),
        ("lambda", "InvokeWithResponseStream"),
        ("logs", "StartLiveTail"),
        ("sqs", "ReceiveMessage"),
    }
)
"""How long these take is the user's choice and no sign of trouble."""


class Exchange(Protocol):
    """What became known of a request: each is None where it failed before that."""

    request_id: str
    offered: Offered | None
    match: Match | None


class AccessLog:
    def __init__(self, slow_seconds: float) -> None:
        self._slow_seconds = slow_seconds

    def write(self, request: Request, status: int, exchange: Exchange, seconds: float) -> None:
        if seconds > self._slow_seconds and _operation(exchange) not in _WAITING_BY_DESIGN:
            level = logging.WARNING
        elif log.isEnabledFor(logging.DEBUG):
            level = logging.DEBUG
        else:
            return
        log.log(
            level,
            "%s %s %s: %d, %s in %.1f ms, request %s",
            request.peer,
            request.method,
            request.path,
            status,
            ".".join(_operation(exchange)),
            seconds * 1000,
            exchange.request_id,
        )

    def failed(self, request_id: str, request: Request, error: Exception) -> None:
        """A bug of ours: the caller is told the request id alone, and the rest is found here."""
        log.error("request %s failed: %s %s", request_id, request.method, request.path, exc_info=error)


def _operation(exchange: Exchange) -> tuple[str, str]:
    service = exchange.offered.wire.name if exchange.offered is not None else "-"
    return service, exchange.match.operation if exchange.match is not None else "-"
