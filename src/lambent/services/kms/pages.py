"""Lists in pages: Limit, and markers that hold the name of the last entry."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Parameters
from lambent.services.kms.errors import InvalidMarkerException

T = TypeVar("T")


def page(
    parameters: Parameters,
    entries: Sequence[T],
    name_of: Callable[[T], str],
    member: str,
    describe: Callable[[T], object],
    *,
    most: int = 100,
) -> Parameters:
    """`entries` are in the order of their names. Raises InvalidMarkerException."""
    limit = min(parameters.get("Limit", most), 1000)
    after = _position(parameters.get("Marker"))
    rest = [entry for entry in entries if after is None or name_of(entry) > after]
    answer: Parameters = {
        member: [describe(entry) for entry in rest[:limit]],
        "Truncated": len(rest) > limit,
    }
    if len(rest) > limit:
        answer["NextMarker"] = write_token(name_of(rest[limit - 1]))
    return answer


def _position(marker: str | None) -> str | None:
    if marker is None:
        return None
    try:
        return read_token(marker)
    except ValueError as error:
        raise InvalidMarkerException("The marker is not one that this operation returned.") from error
