"""Paging in EventBridge's way: Limit and NextToken in, NextToken out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Parameters
from lambent.model.error import ValidationException

LIMIT = 100

T = TypeVar("T")


def position(parameters: Parameters) -> str:
    """The name behind which this page begins. Raises ValidationException."""
    token = parameters.get("NextToken")
    if token is None:
        return ""
    try:
        return read_token(token)
    except ValueError:
        raise ValidationException("Parameter NextToken is not valid.") from None


def limit(parameters: Parameters) -> int:
    return int(parameters.get("Limit", LIMIT))


def cut(
    parameters: Parameters, found: Sequence[T], name: Callable[[T], str]
) -> tuple[Sequence[T], Parameters]:
    """The page of what was found behind `position`, of which there may be one more than `limit`, and the answer's
    NextToken."""
    most = limit(parameters)
    if len(found) <= most:
        return found, {}
    return found[:most], {"NextToken": write_token(name(found[most - 1]))}


def page(
    parameters: Parameters, all_: Sequence[T], name: Callable[[T], str]
) -> tuple[Sequence[T], Parameters]:
    """As `cut`, of everything there is, in the order of its names."""
    after = position(parameters)
    ordered = sorted((one for one in all_ if name(one) > after), key=name)
    return cut(parameters, ordered, name)
