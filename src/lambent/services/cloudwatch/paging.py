"""Paging in CloudWatch's way: a number of entries and NextToken in, NextToken out."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from lambent.model.caller import Parameters
from lambent.services.cloudwatch.errors import InvalidNextToken
from lambent.store.ports.named_records import Name

_DEFAULT = 50
_READ = 100

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
    if not token.isascii() or not token.isdigit():
        raise InvalidNextToken
    return int(token)


def _position(token: str | None) -> tuple[str, str]:
    if token is None:
        return ("", "")
    try:
        text = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        return msgspec.json.decode(text, type=tuple[str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise InvalidNextToken from None


def _token(name: Name) -> str:
    return urlsafe_b64encode(msgspec.json.encode((name.parent, name.name))).decode().rstrip("=")
