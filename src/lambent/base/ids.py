"""Identifiers, from pooled randomness: `uuid.uuid4` costs a system call each, which the invoke path notices."""

import os
from collections.abc import Callable

_POOL_BYTES = 16 * 256
_DIGITS = 32


class _Pool:
    """Strings that are made ahead, from one bigger read of randomness. Taking one is one step: threads may share it.
    Never fork it."""

    def __init__(self, form: Callable[[str], str]) -> None:
        """`form` makes a string of 32 random hexadecimal digits."""
        self._form = form
        self._ready: list[str] = []

    def take(self) -> str:
        while True:
            try:
                return self._ready.pop()
            except IndexError:
                digits = os.urandom(_POOL_BYTES).hex()
                firsts = range(0, len(digits), _DIGITS)
                self._ready += [self._form(digits[first : first + _DIGITS]) for first in firsts]


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_take = _Pool(str).take
_take_uuid = _Pool(_uuid).take


def new_uuid() -> str:
    """A random (version 4) UUID in its 36-character form."""
    return _take_uuid()


def new_token(length: int = 32) -> str:
    """`length` random lower-case hexadecimal digits."""
    return os.urandom((length + 1) // 2).hex()[:length]


def new_trace_header(now: float, *, sampled: bool = False) -> str:
    """An X-Ray tracing header for a request that came without one."""
    return f"Root=1-{int(now):08x}-{_take()[:24]};Parent={_take()[:16]};Sampled={int(sampled)}"
