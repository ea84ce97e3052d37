"""One backend on one state directory: two would each sweep away what the other has."""

import fcntl
from pathlib import Path
from typing import IO

from lambent.sandbox.port import SandboxError


def lock_state(directory: Path) -> IO[str]:
    """Held until the file is closed, or the process ends. Raises SandboxError."""
    file = (directory / "sandboxes.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SandboxError(f"another server uses {directory}") from error
    return file
