"""A shared library of one function, by which our Java launcher calls functions of the C library: no Java before 22 can
change its directory or the variables that native code sees, and hosts have no compiler.

    JNIEXPORT jlong JNICALL Java_lambent_Environment_call(JNIEnv *, jclass, jlong function, jlong a, jlong b, jlong c)
    { return ((long (*)(long, long, long)) function)(a, b, c); }

Sources: the System V ABI of both machines, https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from typing import Final

SYMBOL: Final = b"Java_lambent_Environment_call"

_CODE: Final = {
    "x86_64": (
        62,
        # mov rax, rdx; mov rdi, rcx; mov rsi, r8; mov rdx, r9; jmp rax
        bytes.fromhex("4889d0 4889cf 4c89c6 4c89ca ffe0"),
    ),
    "aarch64": (
        183,
        # mov x9, x2; mov x0, x3; mov x1, x4; mov x2, x5; br x9
        bytes.fromhex("e90302aa e00303aa e10304aa e20305aa 20011fd6"),
    ),
}
"""By machine: its number in ELF, and the function, which moves its last arguments to the front and jumps."""

_PAGE: Final = 0x10000
"""The largest that either machine has."""
_LOAD, _DYNAMIC, _STACK = 1, 2, 0x6474E551
_EXECUTE, _WRITE, _READ = 1, 2, 4
_HASH, _STRINGS, _SYMBOLS, _STRINGS_SIZE, _SYMBOL_SIZE = 4, 5, 6, 10, 11
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<IBBHQQ")
_TAG = struct.Struct("<QQ")
_SEGMENTS: Final = 4
_GLOBAL_FUNCTION: Final = 0x12


def machines() -> frozenset[str]:
    """As platform.machine names them."""
    return frozenset(_CODE)


def library(machine: str) -> bytes:
    """The file. Its first page is code and what the dynamic loader reads, its second what that writes to."""
    number, code = _CODE[machine]
    strings = b"\0" + SYMBOL + b"\0"
    code_at = _HEADER.size + _SEGMENTS * _SEGMENT.size
    symbols_at = _aligned(code_at + len(code))
    symbols = _ENTRY.pack(0, 0, 0, 0, 0, 0) + _ENTRY.pack(1, _GLOBAL_FUNCTION, 0, 1, code_at, len(code))
    hash_at = symbols_at + len(symbols)
    hashes = struct.pack("<6I", 1, 2, 1, 0, 0, 0)  # one bucket, with the second of two symbols in it
    strings_at = hash_at + len(hashes)
    end = strings_at + len(strings)
    tags = (
        (_HASH, hash_at), (_STRINGS, strings_at), (_SYMBOLS, symbols_at), (_STRINGS_SIZE, len(strings)),
        (_SYMBOL_SIZE, _ENTRY.size), (0, 0),
    )  # fmt: skip
    dynamic = b"".join(_TAG.pack(*tag) for tag in tags)
    segments = (
        _segment(_LOAD, _READ | _EXECUTE, 0, end),
        _segment(_LOAD, _READ | _WRITE, _PAGE, len(dynamic)),
        _segment(_DYNAMIC, _READ | _WRITE, _PAGE, len(dynamic)),
        _segment(_STACK, _READ | _WRITE, 0, 0),
    )
    first = (_header(number) + b"".join(segments) + code).ljust(symbols_at, b"\0")
    return (first + symbols + hashes + strings).ljust(_PAGE, b"\0") + dynamic


def _header(machine: int) -> bytes:
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    shared_object, no_sections = 3, (0, 0, 0)
    return _HEADER.pack(
        identity, shared_object, machine, 1, 0, _HEADER.size, 0, 0,
        _HEADER.size, _SEGMENT.size, _SEGMENTS, *no_sections,
    )  # fmt: skip


def _segment(kind: int, flags: int, at: int, size: int) -> bytes:
    return _SEGMENT.pack(kind, flags, at, at, at, size, size, _PAGE if kind == _LOAD else 8)


def _aligned(offset: int) -> int:
    return (offset + 7) & ~7
