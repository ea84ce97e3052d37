"""Events from JSON and responses to JSON, with the rules of AWS's encoder."""

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Before Python 3.12 AWS escapes what is not ASCII.
_ENSURE_ASCII = sys.version_info < (3, 12)


class _DecimalFound(Exception):  # noqa: N818 - a signal, not an error
    """The value has a Decimal in it."""


def _default(value: "Any") -> "Any":
    """Bytes become the text that they are in UTF-8."""
    decimal = sys.modules.get("decimal")  # nobody has a Decimal without it
    if decimal is not None and isinstance(value, decimal.Decimal):
        raise _DecimalFound
    if isinstance(value, bytes):
        return value.decode("utf-8")
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_encode = json.JSONEncoder(ensure_ascii=_ENSURE_ASCII, default=_default).encode


def to_json(value: "Any") -> str:
    """Decimals become numbers with all their digits. Raises what the json module raises."""
    try:
        return _encode(value)
    except _DecimalFound:
        return _encode_with_decimals(value)


def _encode_with_decimals(value: "Any") -> str:
    """The standard encoder cannot write a number that it does not know: an unguessable string stands in for it."""
    mark = os.urandom(16).hex()
    decimals: list[str] = []

    def default(item: "Any") -> "Any":
        try:
            return _default(item)
        except _DecimalFound:
            if item.is_nan():
                return float("nan")
            decimals.append(str(item))
            return mark

    encoder = json.JSONEncoder(ensure_ascii=_ENSURE_ASCII, default=default)
    pieces = encoder.encode(value).split(f'"{mark}"')
    text = [pieces[0]]
    for digits, piece in zip(decimals, pieces[1:]):
        text.append(digits)
        text.append(piece)
    return "".join(text)


from_json = json.loads
