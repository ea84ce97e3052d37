"""Whether a data directory can be trusted: whoever may write to it, or to what is above it, can become the server."""

import os
import stat
from pathlib import Path

from lambent.server.keys import KeysError


def require_own(directory: Path) -> None:
    """Raises KeysError where another user owns the directory or may write to it."""
    status = directory.stat()
    if status.st_uid != os.geteuid():
        raise KeysError(f"{directory} belongs to another user; choose another directory, or chown it")
    if stat.S_IMODE(status.st_mode) & 0o022:
        raise KeysError(f"{directory} can be written to by other users; chmod 700 {directory}")
