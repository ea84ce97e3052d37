"""Paging in CloudWatch's way: a number of entries and NextToken in, NextToken out."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from lambent.base.page_tokens import read_structured, write_structured
from lambent.model.caller import Parameters
from lambent.services.cloudwatch.errors import InvalidNextToken
from lambent.store.ports.named_records import Name

_DEFAULT = 50
_READ = 100
_NUMBER = re.compile("[0-9]{1,18}")
"""As large as a database takes them."""

T = TypeVar("T")


async def paged(
    parameters: Parameters,
    read: Callable[[tuple[str, str], int], Awaitable[Sequence[tuple[Name, T]]]],
    wanted: Callable[[T], bool] = lambda value: True,
) -> tuple[list[T], Parameters]:
    """The next MaxRecords of what `read` finds behind a parent and name, and is wanted; and the answer's NextToken."""
    most = int(parameters.get("MaxRecords", _DEFAULT))
    after = _position(parameters.get("NextToken"))
    taken: list[tuple[Name, T]] = []
    while found := await read(after, _READ):
        for name, value in found:
            if not wanted(value):
                continue
            if len(taken) == most:
                return [value for _, value in taken], {"NextToken": _token(taken[-1][0])}
            taken.append((name, value))
        after = (found[-1][0].parent, found[-1][0].name)
    return [value for _, value in taken], {}


def number_of(token: str | None) -> int:
    """Of a token that says how many, or behind which number, to go on. Raises InvalidNextToken."""
    if token is None:
        return 0
    if not _NUMBER.fullmatch(token):
        raise InvalidNextToken
    return int(token)


def _position(token: str | None) -> tuple[str, str]:
    if token is None:
        return ("", "")
    try:
        return read_structured(token, tuple[str, str])
    except ValueError:
        raise InvalidNextToken from None


def _token(name: Name) -> str:
    return write_structured((name.parent, name.name))
