"""Page tokens: the position from which a later request goes on.

Anybody can forge one, and gains nothing: what it leads to is looked up within the request's own log group."""

from typing import Any

from lambent.base.page_tokens import read_structured, write_structured
from lambent.services.logs.exceptions import InvalidParameterException


def encode(content: Any) -> str:
    return write_structured(content)


def decode(token: str, kind: Any) -> Any:
    """What `encode` was given, checked to be of type `kind`. Raises InvalidParameterException."""
    try:
        return read_structured(token, kind)
    except ValueError:
        raise InvalidParameterException("The specified nextToken is invalid.") from None
