"""Compiles Python code when it is deployed: environments mount it read-only, and would compile it at every start."""

import contextlib
import fcntl
import logging
import os
import secrets
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Final

from lambent.base.disk import sync_file_system
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
_UNNAMED_MOST: Final = 256


def compile_python(tree: Path, install: RuntimeInstall) -> None:
    """`compile_python_at_once` for large or strangers' trees: one at a time on this host."""
    _compile(tree, install, _turn())


def compile_python_at_once(tree: Path, install: RuntimeInstall) -> None:
    """Writes a .pyc beside every Python source in `tree` that has none yet, with the interpreter of `install`.

    At low priority, for 30 s at most. The sources are not trusted: they are compiled in a process without rights, and
    no symbolic link is followed. That some or all cannot be compiled is no error: Python then compiles them when they
    are imported. Blocking."""
    _compile(tree, install, contextlib.nullcontext())


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    with _WORKER.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _compile(tree: Path, install: RuntimeInstall, turn: AbstractContextManager[None]) -> None:
    minor = python_minor(install.identifier)
    if minor is None or install.interpreter is None:
        return
    try:
        _compile_all(tree, install.interpreter, f"cpython-3{minor}", turn)
    except (OSError, EOFError) as error:
        log.warning(
            "stopped compiling %s for %s: %s", tree, install.identifier, str(error) or type(error).__name__
        )


def _compile_all(tree: Path, interpreter: Path, cache_tag: str, turn: AbstractContextManager[None]) -> None:
    sources = _sources(tree, cache_tag)
    first = next(sources, None)
    if first is None:
        return  # the usual case when settings are updated: nobody is waited for, and no process started
    command = [str(interpreter), "-I", "-S", str(_WORKER), str(_NOBODY)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with (
        turn,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, cwd="/", env={}) as worker,
    ):
        assert worker.stdin is not None
        assert worker.stdout is not None
        timer = threading.Timer(_SECONDS_MOST, worker.kill)
        timer.start()
        written = _Written(tree)
        try:
            for source in chain([first], sources):
                compiled = _compile_one(source, worker.stdin, worker.stdout)
                if compiled:
                    written.add(source, compiled)
            worker.stdin.close()
        finally:
            timer.cancel()
            worker.kill()
            written.publish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """`directory` is a descriptor, open until the next source is asked for."""

    directory: int
    name: str
    target: str
    content: bytes
    status: os.stat_result


def _sources(tree: Path, cache_tag: str) -> Iterator[_Source]:
    """Those that are not compiled yet. Links to directories are passed by."""
    for _, directories, files, descriptor in os.fwalk(tree, follow_symlinks=False):
        directories[:] = sorted(name for name in directories if name != "__pycache__")
        for name in sorted(name for name in files if name.endswith(".py")):
            target = f"{name.removesuffix('.py')}.{cache_tag}.pyc"
            read = _read_source(descriptor, name, target)
            if read is not None:
                content, status = read
                yield _Source(directory=descriptor, name=name, target=target, content=content, status=status)


class _Written:
    """Bytecode on its way to the disk. It gets its names when it is there: Python believes what it finds, and with half
    a file, after a power cut, a function could never be started again."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._unnamed: list[tuple[int, str, str]] = []
        """Directories' descriptors, what files there are called, and what they are to be called."""

    def add(self, source: _Source, compiled: bytes) -> None:
        """Readable by everyone: the sandbox runs as another user."""
        with contextlib.suppress(FileExistsError):  # of another version, or the package's own
            os.mkdir("__pycache__", 0o755, dir_fd=source.directory)
        flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        cache = os.open("__pycache__", flags, dir_fd=source.directory)
        scratch = f".{source.target}.{secrets.token_hex(4)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(scratch, flags, 0o644, dir_fd=cache), "wb") as file:
                file.write(compiled)
        except BaseException:
            os.close(cache)
            raise
        self._unnamed.append((cache, scratch, source.target))
        if len(self._unnamed) >= _UNNAMED_MOST:
            self.publish()

    def publish(self) -> None:
        unnamed, self._unnamed = self._unnamed, []
        try:
            if unnamed:
                sync_file_system(self._tree)
            for cache, scratch, target in unnamed:
                os.rename(scratch, target, src_dir_fd=cache, dst_dir_fd=cache)
        finally:
            for cache, _, _ in unnamed:
                os.close(cache)


def _compile_one(source: _Source, requests: IO[bytes], answers: IO[bytes]) -> bytes:
    """Nothing for what cannot be compiled."""
    label = source.name.encode(errors="surrogateescape")
    modified, size = int(source.status.st_mtime), source.status.st_size
    head = _REQUEST.pack(len(label), len(source.content), modified, size)
    requests.write(head + label + source.content)
    requests.flush()
    (length,) = _LENGTH.unpack(_read_exactly(answers, _LENGTH.size))
    if length > _PYC_BYTES_MOST:
        raise EOFError(f"{source.name} became {length} bytes")
    return _read_exactly(answers, length)


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


def _read_exactly(answers: IO[bytes], length: int) -> bytes:
    data = answers.read(length)
    if len(data) < length:
        raise EOFError("the compiler ended early")
    return data
