"""CRC-32, CRC-32C and CRC-64/NVME, and combining the CRCs of two pieces to that of both.

anycrc computes them in hardware. Where it is not installed, Python's long integers do what can be done of it in C: a
message is a polynomial, and its upper half is folded onto the lower by x^n = x^a + x^b + … (modulo the CRC's
polynomial), a shift and an exclusive or for each term. What is left is short, and a table's.

Sources: RFC 3720 (CRC-32C), the NVM Express specification (CRC-64), and zlib's crc32_combine for the algebra.
"""

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

Run = Callable[[bytes, int], int]
"""Goes on with these bytes from the CRC of what came before."""

_WORTH_LOADING_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Reflected, as all of these are; `bits` wide. `fold` is the n whose x^n has few terms, of those below 65,536."""

    bits: int
    value: int
    fold: int = 0

    @property
    def ones(self) -> int:
        return (1 << self.bits) - 1


CRC32 = Polynomial(32, 0xEDB88320)
CRC32C = Polynomial(32, 0x82F63B78, fold=13_664)
CRC64NVME = Polynomial(64, 0x9A6C9329AC4BC9B5, fold=31_808)


def by_folding(polynomial: Polynomial, data: bytes, value: int = 0) -> int:
    """Goes on from `value`, the CRC of what came before."""
    bits = 8 * len(data)
    if bits <= polynomial.fold:
        return by_table(polynomial, data, value)
    message = int.from_bytes(data, "little") ^ value ^ polynomial.ones
    while bits > polynomial.fold:
        message, bits = _fold(polynomial, message, bits)
    return _run(polynomial, message.to_bytes(bits // 8, "little"), 0) ^ polynomial.ones


def by_table(polynomial: Polynomial, data: bytes, value: int = 0) -> int:
    return _run(polynomial, data, value ^ polynomial.ones) ^ polynomial.ones


def _fold(polynomial: Polynomial, message: int, bits: int) -> tuple[int, int]:
    """The same remainder of fewer bits. Bit 0 is the first of the message, and of the highest degree."""
    square, length = 1, polynomial.fold
    while 2 * length < bits:  # squaring an equation of polynomials modulo 2 doubles its exponents
        square, length = 2 * square, 2 * length
    terms = [square * term for term in _terms(polynomial)]
    folded = min(bits - length, length - max(terms)) & ~7
    head = message & (1 << folded) - 1
    message >>= folded
    for term in terms:
        message ^= head << length - term - folded
    return message, bits - folded


def _run(polynomial: Polynomial, data: bytes, value: int) -> int:
    """Through the register, two bytes a step."""
    table = _table(polynomial)
    even = len(data) & ~1
    words = memoryview(data)[:even].cast("H")
    for word in words if sys.byteorder == "little" else [word >> 8 | (word & 255) << 8 for word in words]:
        value = table[(value ^ word) & 0xFFFF] ^ value >> 16
    if even < len(data):
        value = _step(polynomial, (value ^ data[-1]) & 0xFF) ^ value >> 8
    return value


@cache
def _terms(polynomial: Polynomial) -> list[int]:
    """The exponents of x^fold, modulo the polynomial."""
    power = _power(polynomial, polynomial.fold)
    return [exponent for exponent in range(polynomial.bits) if power >> polynomial.bits - 1 - exponent & 1]


@cache
def _table(polynomial: Polynomial) -> list[int]:
    small = [_step(polynomial, byte) for byte in range(256)]
    return [small[small[word & 255] & 255 ^ word >> 8] ^ small[word & 255] >> 8 for word in range(65536)]


def _step(polynomial: Polynomial, value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (polynomial.value if value & 1 else 0)
    return value


def crc32(data: bytes, value: int) -> int:
    """zlib's is there at once, and takes five times as long."""
    if len(data) < _WORTH_LOADING_BYTES:
        return zlib.crc32(data, value)
    return _native("CRC32", zlib.crc32)(data, value)


def crc32c(data: bytes, value: int) -> int:
    return _native("CRC32C", partial(by_folding, CRC32C))(data, value)


def crc64nvme(data: bytes, value: int) -> int:
    return _native("CRC64-NVME", partial(by_folding, CRC64NVME))(data, value)


def _native(name: str, otherwise: Run) -> Run:
    return _model(name) or otherwise


@cache
def _model(name: str) -> Run | None:
    """Loaded with the first use: it takes 3 MB."""
    try:
        from anycrc import Model  # noqa: PLC0415
    except ImportError:
        return None
    calculate: Run = Model(name).calc
    return calculate


def combine(polynomial: Polynomial, first: int, second: int, second_size: int) -> int:
    """The CRC of two pieces, one after the other, from the CRC of each; the second has `second_size` bytes."""
    return _times(polynomial, _power(polynomial, 8 * second_size), first) ^ second


def _power(polynomial: Polynomial, exponent: int) -> int:
    """x to this power, modulo the polynomial. The highest bit stands for 1."""
    result, base = 1 << polynomial.bits - 1, 1 << polynomial.bits - 2
    while exponent:
        if exponent & 1:
            result = _times(polynomial, base, result)
        base = _times(polynomial, base, base)
        exponent >>= 1
    return result


def _times(polynomial: Polynomial, a: int, b: int) -> int:
    product, bit = 0, 1 << polynomial.bits - 1
    while bit:
        if a & bit:
            product ^= b
        b = b >> 1 ^ (polynomial.value if b & 1 else 0)
        bit >>= 1
    return product
