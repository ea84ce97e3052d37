"""Lists in pages: maxResults, and tokens that hold the last entry that was given."""

from collections.abc import Sequence
from typing import TypeVar

from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Parameters
from lambent.services.ecr.errors import InvalidParameterException

T = TypeVar("T")

_USUAL, MOST = 100, 1000


def page(parameters: Parameters, entries: Sequence[tuple[str, T]]) -> tuple[list[T], dict[str, str]]:
    """`entries` with what they are sorted by. What is on this page, and the member nextToken where there are more.
    Raises InvalidParameterException."""
    limit = parameters.get("maxResults", _USUAL)
    after = position(parameters)
    rest = [(key, entry) for key, entry in entries if after is None or key > after]
    more = {"nextToken": write_token(rest[limit - 1][0])} if len(rest) > limit else {}
    return [entry for _, entry in rest[:limit]], more


def position(parameters: Parameters) -> str | None:
    given = parameters.get("nextToken")
    if given is None:
        return None
    try:
        return read_token(given)
    except ValueError as error:
        raise InvalidParameterException("Invalid parameter at 'nextToken'") from error
