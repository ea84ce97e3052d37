"""Paging in IAM's way: Marker and MaxItems in, IsTruncated and Marker out."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Parameters
from lambent.services.iam.errors import ValidationError

_DEFAULT_MAX_ITEMS = 100

T = TypeVar("T")


def position(parameters: Parameters) -> str | None:
    """The key of the last entry of the page before this one. Raises ValidationError."""
    marker = parameters.get("Marker")
    if marker is None:
        return None
    try:
        return read_token(marker)
    except ValueError:
        raise ValidationError("Invalid Marker.") from None


async def page(
    parameters: Parameters, entries: AsyncIterator[T], key: Callable[[T], str]
) -> tuple[list[T], Parameters]:
    """The next MaxItems of `entries`, which must begin after `position`; and the answer's paging members."""
    limit = int(parameters.get("MaxItems", _DEFAULT_MAX_ITEMS))
    taken: list[T] = []
    async for entry in entries:
        if len(taken) == limit:
            return taken, {"IsTruncated": True, "Marker": write_token(key(taken[-1]))}
        taken.append(entry)
    return taken, {"IsTruncated": False}


async def in_order(entries: Iterable[T], key: Callable[[T], str], after: str | None) -> AsyncIterator[T]:
    """Entries that are in memory, by key, beginning after one."""
    for entry in sorted(entries, key=key):
        if after is None or key(entry) > after:
            yield entry
