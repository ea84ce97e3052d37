"""Getting what was written to disk."""

import ctypes
import os
from pathlib import Path


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
