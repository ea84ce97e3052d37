"""One data directory, one server: two would both run what is queued, and each kill the other's sandboxes."""

import fcntl
import os
from pathlib import Path

from lambent.store.ports.errors import StoreError


class DirectoryInUseError(StoreError):
    """Another server uses this data directory. Stop it, or use another --data-dir."""


class DataDirectoryLock:
    """Held from `acquire` until `release` or the end of the process, however it ends.

    The lock belongs to the open file: it passes on to children that are forked and do not exec. Those close
    `fileno`."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._file = -1

    def acquire(self) -> None:
        """Raises DirectoryInUseError; never waits."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip()
            os.close(file)
            raise DirectoryInUseError(
                f"{self._path.parent} is in use by process {holder or '?'}: "
                "stop that server, or use another --data-dir"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def holder(self) -> int | None:
        """The process that holds the lock; None where nobody does. Changes nothing, and is in nobody's way."""
        try:
            inode = self._path.stat().st_ino
            locks = Path("/proc/locks").read_text(encoding="ascii")
        except OSError:
            return None
        for line in locks.splitlines():
            # 1: FLOCK  ADVISORY  WRITE 4711 fe:01:131090 0 EOF
            kind, _, _, pid, file = [*line.split(), "", "", "", "", "", ""][1:6]
            if kind == "FLOCK" and file.rpartition(":")[2] == str(inode):
                return int(pid)
        return None

    def fileno(self) -> int:
        return self._file

    def release(self) -> None:
        """The file stays: removing it would let two servers lock two files of the same name."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
