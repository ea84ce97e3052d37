"""Identifiers, from pooled randomness: `uuid.uuid4` costs a system call each, which the invoke path notices."""

import os

_POOL_BYTES = 16 * 256
_DIGITS = 32


class _RandomPool:
    """Hands out 32 random hexadecimal digits at a time from one bigger read. Never fork it."""

    def __init__(self) -> None:
        self._digits = ""
        self._offset = 0

    def take(self) -> str:
        if self._offset >= len(self._digits):
            self._digits = os.urandom(_POOL_BYTES).hex()
            self._offset = 0
        start = self._offset
        self._offset = start + _DIGITS
        return self._digits[start : start + _DIGITS]


_take = _RandomPool().take
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def new_uuid() -> str:
    """A random (version 4) UUID in its 36-character form."""
    digits = _take()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


def new_token(length: int = 32) -> str:
    """`length` random lower-case hexadecimal digits."""
    return os.urandom((length + 1) // 2).hex()[:length]


def new_trace_header(now: float, *, sampled: bool = False) -> str:
    """An X-Ray tracing header for a request that came without one."""
    return f"Root=1-{int(now):08x}-{_take()[:24]};Parent={_take()[:16]};Sampled={int(sampled)}"
