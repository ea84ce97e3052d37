"""Getting what was written to disk."""

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

_SYNC_FILE_RANGE_WRITE = 2


def begin_write_back(descriptor: int, offset: int, size: int) -> None:
    """Has the disk begin with what was written there, so that a later sync waits less. Promises nothing, and fails
    silently where the file system cannot."""
    call = _sync_file_range()
    if call is not None:
        call(descriptor, ctypes.c_int64(offset), ctypes.c_int64(size), _SYNC_FILE_RANGE_WRITE)


@cache
def _sync_file_range() -> Callable[..., int] | None:
    """None where the kernel is not Linux."""
    return getattr(ctypes.CDLL(None), "sync_file_range", None)


def sync_directory(path: Path) -> None:
    """That something in it was created, renamed or removed. Blocking. Raises OSError."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def sync_file_system(of: Path) -> None:
    """Syncs the file system that `of` is on: one call, where thousands of files would each wait for the disk. Blocking.
    Raises OSError."""
    directory = os.open(of, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(directory) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(of))
    finally:
        os.close(directory)
