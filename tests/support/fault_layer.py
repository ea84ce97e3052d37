"""A disk and a wall clock that fail on demand, below a process of its own: see fault_layer.c."""

import ctypes
import mmap
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_SOURCE = Path(__file__).with_name("fault_layer.c")


class _Control(ctypes.Structure):
    """As in fault_layer.c."""

    _fields_ = (
        ("wall_offset_ns", ctypes.c_int64),
        ("fail_write", ctypes.c_uint32),
        ("short_write", ctypes.c_uint32),
        ("fail_sync", ctypes.c_uint32),
        ("drop", ctypes.c_uint32),
        ("writes_failed", ctypes.c_uint32),
        ("writes_shortened", ctypes.c_uint32),
        ("syncs_failed", ctypes.c_uint32),
        ("pages_lost", ctypes.c_uint32),
        ("random", ctypes.c_uint64),
    )


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


class FaultLayer:
    """For files below `below`. What the layer keeps is in `beside`, which is outside of it."""

    def __init__(self, below: Path, beside: Path, *, seed: int = 1) -> None:
        self._below = below.resolve()
        self._shadow = beside / "shadow"
        self._shadow.mkdir(parents=True)
        self._library = beside / "fault_layer.so"
        command = [compiler() or "cc", "-shared", "-fPIC", "-O2", "-o", self._library, _SOURCE]
        subprocess.run(command, check=True)
        self._file = beside / "control"
        self._file.write_bytes(bytes(mmap.PAGESIZE))
        with self._file.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._control = _Control.from_buffer(self._memory)
        self._control.random = seed

    @property
    def variables(self) -> Mapping[str, str]:
        """What a process has to have in its environment when it starts."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAULT_CONTROL": str(self._file),
            "FAULT_BELOW": str(self._below),
            "FAULT_SHADOW": str(self._shadow),
        }

    @property
    def before(self) -> tuple[str, ...]:
        """The same as the beginning of a command."""
        return ("env", *(f"{name}={value}" for name, value in self.variables.items()))

    def disk(
        self,
        *,
        fail_write: float = 0.0,
        short_write: float = 0.0,
        fail_sync: float = 0.0,
        forget: bool = False,
    ) -> None:
        """From now on so many of the calls fail, are cut short (0.0 to 1.0). `forget`: what a failed sync did not write
        is gone from memory as well, as on some file systems; else it can be read until the power is lost."""
        self._control.fail_write = round(fail_write * 1_000_000)
        self._control.short_write = round(short_write * 1_000_000)
        self._control.drop = int(forget)
        self._control.fail_sync = round(fail_sync * 1_000_000)

    def set_wall_clock(self, offset_seconds: float) -> None:
        self._control.wall_offset_ns = round(offset_seconds * 1_000_000_000)

    @property
    def counts(self) -> Mapping[str, int]:
        return {
            "writes failed": self._control.writes_failed,
            "writes cut short": self._control.writes_shortened,
            "syncs failed": self._control.syncs_failed,
            "pages lost": self._control.pages_lost,
        }

    def lose_power(self, seed: int) -> int:
        """When all processes on it are dead: of what was not synced, each sector is what it was before, or not. Returns
        how many sectors were put back."""
        library = ctypes.CDLL(str(self._library))
        put_back: int = library.lose_power(
            os.fsencode(self._below), os.fsencode(self._shadow), ctypes.c_uint(seed)
        )
        return put_back

    def close(self) -> None:
        del self._control
        with suppress(BufferError):
            self._memory.close()
