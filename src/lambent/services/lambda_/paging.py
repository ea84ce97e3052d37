"""Lists in pages: MaxItems and opaque markers, which hold the key of the last entry."""

import base64
import binascii
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from lambent.model.caller import Parameters
from lambent.model.lambda_errors import InvalidParameterValueException

T = TypeVar("T")
K = TypeVar("K")


class Page(Generic[T]):
    """The first `limit` of `entries`, of which one more than that was asked for."""

    def __init__(self, entries: Sequence[T], limit: int) -> None:
        self.items = entries[:limit]
        self.more = len(entries) > limit


def page_size(parameters: Parameters, *, default: int, largest: int) -> int:
    return min(parameters.get("MaxItems") or default, largest)


def marker_of(key: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def position(
    parameters: Parameters,
    key: type[K],
    refusal: str = "The value of Marker is not one that this operation returned.",
) -> K | None:
    """The key that the caller's Marker holds; None at the beginning. Raises InvalidParameterValueException."""
    marker = parameters.get("Marker")
    if not marker:
        return None
    try:
        found = msgspec.json.decode(base64.b64decode(marker, altchars=b"-_", validate=True), type=key)
        _require_numbers_of_a_database(found)
        return found
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidParameterValueException(refusal) from error


def _require_numbers_of_a_database(key: object) -> None:
    """A forged marker may hold any number. Raises ValueError."""
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(part, int) and not 0 <= part < 2**63 for part in parts):
        raise ValueError("out of range")
