"""Making a write-ahead log safe again of which a sync has failed.

After a sync has failed, the kernel may take pages for clean that never reached the disk: the next sync succeeds without
them, and a power cut ends the log where the first of them is missing, whatever was acknowledged behind it. So the log
is written again as it is read, which makes all of its pages dirty, and synced. Some file systems forget such pages
instead: then it is not read as it was written, which its checksums show.

Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log and https://www.sqlite.org/walformat.html
"""

import os
import struct
import sys
from pathlib import Path

_LOG_HEAD = struct.Struct(">8I")
_FRAME_HEAD_SIZE = 24
_BIG_ENDIAN = 0x377F0683
_INDEX_HEAD = struct.Struct("=16xI4x2I")
"""The number of the last frame, and its checksum."""


class LogDamagedError(Exception):
    """The log is not read as it was written. Who has the database open must not go on: its index names pages that are
    gone. Whoever opens it anew finds all that was acknowledged."""


def rewrite(log: Path, *, index: Path | None) -> None:
    """Nobody else may write to the database meanwhile. Where this process has its `index` open, the log is compared
    with it. Raises OSError, LogDamagedError."""
    descriptor = os.open(log, os.O_RDWR | os.O_CLOEXEC)
    try:
        content = _read(descriptor)
        if index is not None and not _is_whole(content, _mapped(index)):
            raise LogDamagedError(f"after a failed sync {log} is not read as it was written")
        view, at = memoryview(content), 0
        while at < len(view):
            at += os.pwrite(descriptor, view[at:], at)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    pieces: list[bytes] = []
    at = 0
    while at < size and (piece := os.pread(descriptor, size - at, at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _mapped(index: Path) -> bytes:
    """The head of the index, from this process's memory: closing the file would give up SQLite's locks on it."""
    inode = index.stat().st_ino
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, _, offset, _, number, *path = line.split(maxsplit=5)
        if int(number) == inode and int(offset, 16) == 0 and path and path[0].endswith(index.name):
            with Path("/proc/self/mem").open("rb", buffering=0) as memory:
                memory.seek(int(addresses.split("-")[0], 16))
                return memory.read(_INDEX_HEAD.size)
    raise OSError(f"{index} is not in memory")


def _is_whole(log: bytes, index: bytes) -> bool:
    """Whether all frames that the index knows are there, by the chain of their checksums."""
    last, *expected = _INDEX_HEAD.unpack(index)
    if last == 0:
        return True
    if len(log) < _LOG_HEAD.size:
        return False
    magic, _, page_size, _, _, _, *sums = _LOG_HEAD.unpack_from(log)
    order = "big" if magic == _BIG_ENDIAN else "little"
    size = _FRAME_HEAD_SIZE + page_size
    if len(log) < _LOG_HEAD.size + last * size:
        return False
    first, second = sums
    for number in range(last):
        at = _LOG_HEAD.size + number * size
        summed = log[at : at + 8] + log[at + _FRAME_HEAD_SIZE : at + size]
        first, second = _checksum(summed, first, second, order)
        if (first, second) != struct.unpack_from(">2I", log, at + 16):
            return False
    return [first, second] == expected


def _checksum(content: bytes, first: int, second: int, order: str) -> tuple[int, int]:
    words = memoryview(content).cast("I")
    if order != sys.byteorder:
        words = memoryview(
            struct.pack(f"{'<' if sys.byteorder == 'big' else '>'}{len(words)}I", *words)
        ).cast("I")
    for at in range(0, len(words), 2):
        first = (first + words[at] + second) & 0xFFFFFFFF
        second = (second + words[at + 1] + first) & 0xFFFFFFFF
    return first, second
