"""A disk of its own for a directory, which can be filled: ext4 on a loop device. Needs root."""

import os
import subprocess
from pathlib import Path


class SmallDisk:
    def __init__(self, directory: Path, image: Path, *, megabytes: int) -> None:
        """Raises CalledProcessError where mounting is not allowed."""
        self._directory = directory
        self._image = image
        with image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        # Nothing is kept back for root, who runs the servers here.
        self._run("mkfs.ext4", "-q", "-m", "0", str(image))
        self._run("mount", "-o", "loop", str(image), str(directory))
        self._ballast = directory / "ballast"

    def fill(self) -> None:
        """Until nothing more fits."""
        with self._ballast.open("wb") as file:
            size = 0
            step = 64 * 1024 * 1024
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 2

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        # A process that was killed a moment ago may still be on it.
        subprocess.run(["umount", "--lazy", self._directory], check=True)
        self._image.unlink()

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)
