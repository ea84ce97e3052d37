"""The shared libraries of an interpreter, which may lie anywhere."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_LINE = re.compile(r"\s=>\s(/\S+)\s\(0x")
_LDD_SECONDS = 10.0

_TELLING_MODULES = ("_ssl", "_hashlib", "_ctypes", "_sqlite3", "_lzma", "_bz2", "zlib", "pyexpat", "_uuid")
"""Extension modules of the standard library that link to something else; asking all sixty takes too long."""


def telling_modules(standard_library: Path) -> list[Path]:
    dynamic = standard_library / "lib-dynload"
    return [path for name in _TELLING_MODULES for path in sorted(dynamic.glob(f"{name}.*.so"))]


def shared_libraries(executables: Sequence[Path]) -> list[Path]:
    """The libraries that `executables` load, by the path under which the dynamic loader looks for them. Empty where
    there is no ldd: then nothing can be said."""
    try:
        finished = subprocess.run(
            ["ldd", *map(str, executables)],  # noqa: S607 - by PATH, like the user's shell
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LDD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted({Path(match) for match in _LINE.findall(finished.stdout.decode(errors="replace"))})
