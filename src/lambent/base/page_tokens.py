"""Tokens of lists that are answered in pages: they say behind what a page begins.

Whoever has one sends it back, and anybody can make one up. So what is read from one is something that a database can
be asked for, or it is refused.
"""

import math
from base64 import b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_INTEGERS = range(-(2**63), 2**63)


def write_token(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(token: str) -> str:
    """What `write_token` was given. Raises ValueError."""
    digits = token.rstrip("=").encode("ascii")
    text = b64decode(digits + b"=" * (-len(digits) % 4), altchars=b"-_", validate=True).decode()
    _require_storable(text)
    return text


def write_structured(content: Any) -> str:
    """Of what JSON can say."""
    return write_token(msgspec.json.encode(content).decode())


def read_structured(token: str, kind: type[T]) -> T:
    """What `write_structured` was given, which is of type `kind`. Raises ValueError."""
    content = msgspec.json.decode(read_token(token), type=kind)
    for part in content if isinstance(content, (tuple, list)) else (content,):
        _require_storable(part)
    return content


def _require_storable(value: Any) -> None:
    """Raises ValueError for what no database takes for a text or a number."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a text with U+0000")
    if isinstance(value, int) and value not in _INTEGERS:
        raise ValueError("a number out of range")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a number")
