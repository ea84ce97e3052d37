"""@ptr: what finds a log event again."""

from lambent.services.logs import tokens

_Pointer = tuple[str, int, int]


def encode(group: str, timestamp_ms: int, id: int) -> str:
    return tokens.encode((group, timestamp_ms, id))


def decode(pointer: str) -> _Pointer:
    """(log group, timestamp in ms, id). Raises InvalidParameterException."""
    found: _Pointer = tokens.decode(pointer, _Pointer)
    return found
