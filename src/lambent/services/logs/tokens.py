"""Page tokens: the position from which a later request goes on.

Anybody can forge one, and gains nothing: what it leads to is looked up within the request's own log group."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from lambent.services.logs.exceptions import InvalidParameterException


def encode(content: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def decode(token: str, kind: Any) -> Any:
    """What `encode` was given, checked to be of type `kind`. Raises InvalidParameterException."""
    try:
        content = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        return msgspec.json.decode(content, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise InvalidParameterException("The specified nextToken is invalid.") from None
