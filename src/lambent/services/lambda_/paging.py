"""Lists in pages: MaxItems and opaque markers, which hold the key of the last entry."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from lambent.base.page_tokens import read_structured, write_structured
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
    return write_structured(key)


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
        found = read_structured(marker, key)
        _require_no_negatives(found)
        return found
    except ValueError as error:
        raise InvalidParameterValueException(refusal) from error


def _require_no_negatives(key: object) -> None:
    """A forged marker may hold any number. Raises ValueError."""
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(part, int) and part < 0 for part in parts):
        raise ValueError("out of range")
