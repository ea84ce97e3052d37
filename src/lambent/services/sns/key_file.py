"""Files that are the server's alone."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, synced, readable by nobody else."""
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
