"""Compiles Python code when it is deployed: environments mount it read-only, and would compile it at every start."""

import contextlib
import fcntl
import logging
import os
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from lambent.runtimes.identifiers import python_minor
from lambent.runtimes.install import RuntimeInstall

log = logging.getLogger(__name__)

_WORKER = Path(__file__).with_name("compile_worker.py")
_NOBODY: Final = 65534
_SECONDS_MOST: Final = 30.0
_SOURCE_BYTES_MOST: Final = 4 * 1024 * 1024
_REQUEST = struct.Struct("<QQQQ")
_LENGTH = struct.Struct("<Q")
_PYC_BYTES_MOST: Final = 64 * 1024 * 1024


def compile_python(tree: Path, install: RuntimeInstall) -> None:
    """`compile_python_at_once` for large or strangers' trees: one at a time on this host."""
    with _WORKER.open("rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        compile_python_at_once(tree, install)


def compile_python_at_once(tree: Path, install: RuntimeInstall) -> None:
    """Writes a .pyc beside every Python source in `tree` that has none yet, with the interpreter of `install`.

    At low priority, for 30 s at most. The sources are not trusted: they are compiled in a process without rights, and
    no symbolic link is followed. That some or all cannot be compiled is no error: Python then compiles them when they
    are imported. Blocking."""
    minor = python_minor(install.identifier)
    if minor is None or install.interpreter is None:
        return
    try:
        _compile_all(tree, install.interpreter, f"cpython-3{minor}")
    except (OSError, EOFError) as error:
        log.warning(
            "stopped compiling %s for %s: %s", tree, install.identifier, str(error) or type(error).__name__
        )


def _compile_all(tree: Path, interpreter: Path, cache_tag: str) -> None:
    command = [str(interpreter), "-I", "-S", str(_WORKER), str(_NOBODY)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env={}
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        timer = threading.Timer(_SECONDS_MOST, worker.kill)
        timer.start()
        try:
            for directory, name in _sources(tree):
                _compile_one(directory, name, cache_tag, worker.stdin, worker.stdout)
            worker.stdin.close()
        finally:
            timer.cancel()
            worker.kill()


def _sources(tree: Path) -> Iterator[tuple[int, str]]:
    """A descriptor of the directory and a name in it, for every source. Links to directories are passed by."""
    for _, directories, files, descriptor in os.fwalk(tree, follow_symlinks=False):
        directories[:] = sorted(name for name in directories if name != "__pycache__")
        for name in sorted(files):
            if name.endswith(".py"):
                yield descriptor, name


def _compile_one(directory: int, name: str, cache_tag: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    target = f"{name.removesuffix('.py')}.{cache_tag}.pyc"
    read = _read_source(directory, name, target)
    if read is None:
        return
    source, status = read
    label = name.encode(errors="surrogateescape")
    modified = int(status.st_mtime)
    requests.write(_REQUEST.pack(len(label), len(source), modified, status.st_size) + label + source)
    requests.flush()
    (length,) = _LENGTH.unpack(_read_exactly(answers, _LENGTH.size))
    if length > _PYC_BYTES_MOST:
        raise EOFError(f"{name} became {length} bytes")
    compiled = _read_exactly(answers, length)
    if compiled:
        _write(directory, target, compiled)


def _read_source(directory: int, name: str, target: str) -> tuple[bytes, os.stat_result] | None:
    """None for a source that is compiled already, is no plain file, or is too large to be worth it."""
    try:
        os.stat(f"__pycache__/{target}", dir_fd=directory, follow_symlinks=False)
        return None
    except OSError:
        pass  # the usual case: it is to be made
    try:
        descriptor = os.open(
            name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory
        )
    except OSError:
        return None  # a symbolic link
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _SOURCE_BYTES_MOST:
            return None
        return file.read(), status


def _write(directory: int, target: str, compiled: bytes) -> None:
    """Whole or not at all, and readable by everyone: the sandbox runs as another user."""
    with contextlib.suppress(FileExistsError):  # of another version, or the package's own
        os.mkdir("__pycache__", 0o755, dir_fd=directory)
    cache = os.open("__pycache__", os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        scratch = f".{target}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(scratch, flags, 0o644, dir_fd=cache), "wb") as file:
            file.write(compiled)
        os.rename(scratch, target, src_dir_fd=cache, dst_dir_fd=cache)
    finally:
        os.close(cache)


def _read_exactly(answers: IO[bytes], length: int) -> bytes:
    data = answers.read(length)
    if len(data) < length:
        raise EOFError("the compiler ended early")
    return data
