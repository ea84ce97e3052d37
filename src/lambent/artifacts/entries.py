"""What a zip file's entries become in a tree: names, kinds and modes, decided before anything is written.

The rules, where archives are hostile or merely odd:
- Names are bytes, as unzip on Linux has them: UTF-8 where flagged or valid, else as they are. A backslash is
  a character like another. Upper and lower case are different files.
- Of two files with one name the later one counts. A name that is a directory here and a file there is
  refused.
- A symbolic link may climb only at its start ("../../lib/x") and never out of the tree, and nothing may lie
  beneath a link. Then every link, followed through any others, ends inside: the climb goes over real
  directories.
- Only files, directories and such links exist in a tree: devices, pipes and sockets are refused.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from lambent.artifacts.errors import (
    NotAZipError,
    TooManyEntriesError,
    UnsafeEntryError,
    UnzippedTooLargeError,
)

UNZIPPED_MOST_BYTES = 262_144_000
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB, layers included."""
ENTRIES_MOST = 200_000
_DEPTH_MOST = 128
_NAME_MOST_BYTES = 255
_PATH_MOST_BYTES = 3072  # PATH_MAX is 4096, and the tree lies somewhere
LINK_MOST_BYTES = 1024
_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNIX = 3

Kind = Literal["file", "link", "directory"]


@dataclass(frozen=True, slots=True)
class Entry:
    """`path` is relative and clean. `size` is what the archive declares."""

    path: str
    kind: Kind
    executable: bool
    size: int
    info: ZipInfo = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The directories of a tree, parents first, and its files and links by path."""

    directories: tuple[str, ...]
    entries: tuple[Entry, ...]
    unzipped_size: int


def plan(infos: Iterable[ZipInfo], *, most_bytes: int = UNZIPPED_MOST_BYTES) -> Plan:
    """Raises ArchiveError. The declared sizes can be trusted as upper bounds: reading never gives more."""
    entries: dict[str, Entry] = {}
    directories: dict[str, None] = {}
    size = 0
    for info in infos:
        entry = _entry(info)
        size += entry.size
        if entry.kind == "directory":
            _add_directory(directories, entry.path)
        else:
            _add_directory(directories, _parent(entry.path))
            _refuse_other_kind(entries.get(entry.path), entry)
            entries[entry.path] = entry
        if len(entries) + len(directories) > ENTRIES_MOST:
            raise TooManyEntriesError(f"more than {ENTRIES_MOST} files and directories")
    if size > most_bytes:
        raise UnzippedTooLargeError(size, most_bytes)
    for path in entries.keys() & directories.keys():
        raise UnsafeEntryError(path, "is a file and a directory")
    return Plan(tuple(directories), tuple(entries.values()), size)


def check_link(entry: Entry, target: str) -> None:
    """Raises UnsafeEntryError for a link that leaves its tree, see above."""
    if not target or "\0" in target or target.startswith("/"):
        raise UnsafeEntryError(entry.path, f"links to {target!r}, which is not a relative path")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    if climbs > entry.path.count("/") or ".." in parts[climbs:]:
        raise UnsafeEntryError(entry.path, f"links to {target!r}, which may be outside")


def _entry(info: ZipInfo) -> Entry:
    name = _name(info)
    if info.header_offset < 0:
        raise NotAZipError("the archive lacks its beginning")
    if info.flag_bits & _ENCRYPTED:
        raise NotAZipError(f"{name!r} is encrypted")
    # The others' decompressors give out a bomb whole, however little is asked for.
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise NotAZipError(f"{name!r} is compressed by method {info.compress_type}")
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = _kind(name, mode)
    path = _path(name)
    if kind != "directory" and not path:
        raise UnsafeEntryError(name, "has no name")
    if kind == "link" and info.file_size > LINK_MOST_BYTES:
        raise UnsafeEntryError(name, "is a link with a target too long")
    size = 0 if kind == "directory" else info.file_size
    return Entry(path, kind, bool(mode & 0o111), size, info)


def _name(info: ZipInfo) -> str:
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        # zipfile reads unflagged names as code page 437, which maps every byte: back to the bytes, which most
        # writers on Linux meant as UTF-8.
        name = os.fsdecode(name.encode("cp437", "surrogateescape"))
    if "\0" in name:
        raise UnsafeEntryError(name, "has a NUL in its name")
    return name


def _kind(name: str, mode: int) -> Kind:
    kind = stat.S_IFMT(mode)
    if name.endswith("/") or kind == stat.S_IFDIR:
        return "directory"
    if kind == stat.S_IFLNK:
        return "link"
    if kind not in (0, stat.S_IFREG):
        raise UnsafeEntryError(name, "is neither a file, a directory nor a link")
    return "file"


def _path(name: str) -> str:
    if name.startswith("/"):
        raise UnsafeEntryError(name, "is an absolute path")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeEntryError(name, "has '..' in its path")
    path = "/".join(parts)
    if (
        len(parts) > _DEPTH_MOST
        or len(os.fsencode(path)) > _PATH_MOST_BYTES
        or any(len(os.fsencode(part)) > _NAME_MOST_BYTES for part in parts)
    ):
        raise UnsafeEntryError(name[:80], "is too long or too deep")
    return path


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _add_directory(directories: dict[str, None], path: str) -> None:
    missing = []
    while path and path not in directories:
        missing.append(path)
        path = _parent(path)
    directories.update(dict.fromkeys(reversed(missing)))


def _refuse_other_kind(before: Entry | None, entry: Entry) -> None:
    if before is not None and before.kind != entry.kind:
        raise UnsafeEntryError(entry.path, f"is a {before.kind} and a {entry.kind}")
