"""Identifiers, from pooled randomness: `uuid.uuid4` costs a system call each, which the invoke path notices."""

import os

_POOL_BYTES = 16 * 256


class _RandomPool:
    """Hands out 16 random bytes at a time from one bigger read. Never fork it."""

    def __init__(self) -> None:
        self._bytes = b""
        self._offset = 0

    def take(self) -> bytes:
        if self._offset >= len(self._bytes):
            self._bytes = os.urandom(_POOL_BYTES)
            self._offset = 0
        start = self._offset
        self._offset = start + 16
        return self._bytes[start : start + 16]


_take = _RandomPool().take


def new_uuid() -> str:
    """A random (version 4) UUID in its 36-character form."""
    raw = bytearray(_take())
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_token(length: int = 32) -> str:
    """`length` random lower-case hexadecimal digits."""
    return os.urandom((length + 1) // 2).hex()[:length]


def new_trace_header(now: float) -> str:
    """An X-Ray tracing header for a request that came without one; not sampled, as nothing collects the trace."""
    digits = (_take() + _take()).hex()
    return f"Root=1-{int(now):08x}-{digits[:24]};Parent={digits[24:40]};Sampled=0"
