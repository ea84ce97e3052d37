"""Reading zip files that nobody vouches for: looking into them, and writing out what they hold."""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EINVAL
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from lambent.artifacts.entries import (
    ENTRIES_MOST,
    UNZIPPED_MOST_BYTES,
    Entry,
    check_link,
    plan,
)
from lambent.artifacts.errors import EmptyZipError, NotAZipError, TooManyEntriesError

_CHUNK_BYTES = 1 << 18
_DIRECTORY_MOST_BYTES = ENTRIES_MOST * 320
_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_COMMENT_MOST_BYTES = 65_535


@dataclass(frozen=True, slots=True)
class ZipSummary:
    """`unzipped_size` is in bytes, of files; `entries` are the files and links, not the directories."""

    unzipped_size: int
    entries: tuple[Entry, ...]


def summarize(file: BinaryIO, *, most_bytes: int = UNZIPPED_MOST_BYTES) -> ZipSummary:
    """What an archive declares, with everything checked that can be without decompressing its files.

    Raises ArchiveError."""
    with _opened(file) as archive:
        planned = plan(archive.infolist(), most_bytes=most_bytes)
        for entry in planned.entries:
            if entry.kind == "link":
                _link_target(archive, entry)
    if not planned.entries:
        raise EmptyZipError("the archive holds no files")
    return ZipSummary(planned.unzipped_size, planned.entries)


def extract(file: BinaryIO, tree: Path, *, most_bytes: int = UNZIPPED_MOST_BYTES) -> None:
    """Writes an archive's files into `tree`, an empty directory nobody else knows of.

    Everyone may read them, and execute what anyone could; other mode bits are dropped. Raises ArchiveError,
    OSError."""
    with _opened(file) as archive:
        planned = plan(archive.infolist(), most_bytes=most_bytes)
        tree.chmod(0o755)
        for directory in planned.directories:
            (tree / directory).mkdir()
            (tree / directory).chmod(0o755)
        # Links last: while files are written there is none that could lead them elsewhere.
        for entry in sorted(planned.entries, key=lambda entry: entry.kind == "link"):
            if entry.kind == "link":
                (tree / entry.path).symlink_to(_link_target(archive, entry))
            else:
                _write_file(archive, entry, tree / entry.path)


def _write_file(archive: ZipFile, entry: Entry, path: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb", buffering=0) as target:  # noqa: PTH123 - needs the flags
        os.fchmod(target.fileno(), 0o755 if entry.executable else 0o644)
        for chunk in _chunks(archive, entry.info):
            target.write(chunk)


def _link_target(archive: ZipFile, entry: Entry) -> str:
    target = os.fsdecode(b"".join(_chunks(archive, entry.info)))
    check_link(entry, target)
    return target


def _chunks(archive: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    """At most `info.file_size` bytes; their checksum is checked at the end."""
    with _translated():
        source = archive.open(info)
    with source:
        while True:
            with _translated():
                chunk = source.read(_CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


@contextmanager
def _opened(file: BinaryIO) -> Iterator[ZipFile]:
    with _translated():
        if _directory_bytes(file) > _DIRECTORY_MOST_BYTES:
            raise TooManyEntriesError(f"the directory is over {_DIRECTORY_MOST_BYTES} bytes")
        archive = ZipFile(file)
    with archive:
        yield archive


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever zipfile trips over is the archive's fault."""
    try:
        yield
    except (BadZipFile, zlib.error, struct.error, EOFError) as error:
        raise NotAZipError(str(error) or "the archive ends too early") from error
    except (NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError) as error:
        raise NotAZipError(f"the archive is corrupt or of an unknown kind: {error}") from error
    except OSError as error:
        if error.errno != EINVAL:  # a disk that cannot be read
            raise
        raise NotAZipError("the archive points outside of itself") from error


def _directory_bytes(file: BinaryIO) -> int:
    """What the archive says its directory takes: zipfile would read all of it, however much."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _COMMENT_MOST_BYTES - _END.size - _END_64_LOCATOR.size))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) - end < _END.size:
        raise NotAZipError("no end of a zip file's directory is found")
    declared: int = _END.unpack_from(tail, end)[5]
    if end >= _END_64_LOCATOR.size:
        signature, _, offset, _ = _END_64_LOCATOR.unpack_from(tail, end - _END_64_LOCATOR.size)
        if signature == b"PK\6\7":
            file.seek(offset)
            record = file.read(_END_64.size)
            if record[:4] == b"PK\6\6":
                return int(_END_64.unpack(record)[8])
    return declared if declared != 0xFFFFFFFF else 0
