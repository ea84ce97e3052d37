"""One POST to somebody else's server, and what its answer means for a delivery."""

from collections.abc import Awaitable, Mapping
from typing import Protocol

from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.targets.failure import DeliveryFailedError

_SECONDS = 15.0


class Send(Protocol):
    """lambent.http.client.request."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", seconds: float
    ) -> Awaitable[Response]: ...


async def post(send: Send, url: str, headers: Mapping[str, str], body: bytes) -> int:
    """The status with which it was accepted. Raises DeliveryFailedError."""
    try:
        answer = await send("POST", url, headers=headers, body=body, seconds=_SECONDS)
    except RequestFailedError as error:
        raise DeliveryFailedError("CONNECTION_FAILURE", str(error), retriable=True) from error
    except ValueError as error:
        raise DeliveryFailedError("INVALID_PARAMETER", str(error)) from error
    if not 200 <= answer.status < 300:
        retriable = answer.status >= 500 or answer.status == 429
        message = f"The endpoint answered {answer.status}."
        raise DeliveryFailedError("ERROR_FROM_TARGET", message, retriable=retriable, status=answer.status)
    return answer.status
