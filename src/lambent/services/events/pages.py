"""Paging in EventBridge's way: Limit and NextToken in, NextToken out."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

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
        return urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
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
    token = urlsafe_b64encode(name(found[most - 1]).encode()).decode().rstrip("=")
    return found[:most], {"NextToken": token}


def page(
    parameters: Parameters, all_: Sequence[T], name: Callable[[T], str]
) -> tuple[Sequence[T], Parameters]:
    """As `cut`, of everything there is, in the order of its names."""
    after = position(parameters)
    ordered = sorted((one for one in all_ if name(one) > after), key=name)
    return cut(parameters, ordered, name)
