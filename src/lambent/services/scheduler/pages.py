"""Paging in Scheduler's way: MaxResults and NextToken in, NextToken out."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from lambent.base.page_tokens import read_structured, write_structured
from lambent.model.caller import Parameters
from lambent.model.error import ValidationException
from lambent.store.ports.named_records import Name

_MOST = 100
_READ = 100

T = TypeVar("T")
Found = tuple[Name, T]


async def page(
    parameters: Parameters,
    read: Callable[[tuple[str, str], int], Awaitable[Sequence[Found[T]]]],
    wanted: Callable[[T], bool] = lambda value: True,
) -> tuple[list[Found[T]], Parameters]:
    """The next MaxResults of what `read` finds behind a parent and name, and is wanted; and the answer's NextToken.

    Raises ValidationException for a token that is none."""
    most = int(parameters.get("MaxResults", _MOST))
    after = _position(parameters)
    taken: list[Found[T]] = []
    while found := await read(after, _READ):
        for name, value in found:
            if not wanted(value):
                continue
            if len(taken) == most:
                return taken, {"NextToken": _token(taken[-1][0])}
            taken.append((name, value))
        after = (found[-1][0].parent, found[-1][0].name)
    return taken, {}


def _position(parameters: Parameters) -> tuple[str, str]:
    token = parameters.get("NextToken")
    if token is None:
        return ("", "")
    try:
        return read_structured(token, tuple[str, str])
    except ValueError:
        raise ValidationException("Invalid NextToken.") from None


def _token(name: Name) -> str:
    return write_structured((name.parent, name.name))
