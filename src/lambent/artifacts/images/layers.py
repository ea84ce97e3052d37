"""One layer of an image, unpacked by itself: its files, and what it says of the layers below it.

The rules, where layers are hostile or merely odd:
- Files, directories, symbolic and hard links are made. Devices, pipes and sockets are left out.
- A path with '..' is refused; one that begins with / is meant from the root. What lies beneath a link is where the link
  leads inside the tree.
- Owners, times and extended attributes are dropped, and of the mode what is beyond read, write and execute: nothing is
  setuid. Everything belongs to root; what only its owner may read, no function can.
- Bytes and files are counted, before they are written.

Source: https://github.com/opencontainers/image-spec/blob/main/layer.md
"""

import os
import shutil
import stat
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from lambent.artifacts.images.errors import ImageTooLargeError, InvalidImageError
from lambent.artifacts.images.paths import is_directory, mode_of, parts_of, resolve

_OPAQUE = ".wh..wh..opq"
_WHITEOUT = ".wh."
_CHUNK_BYTES = 1 << 18


@dataclass(slots=True, kw_only=True)
class Allowance:
    """What an image may still unpack to."""

    bytes: int
    entries: int

    def take(self, size: int) -> None:
        """Raises ImageTooLargeError."""
        self.bytes -= size
        self.entries -= 1
        if self.bytes < 0 or self.entries < 0:
            raise ImageTooLargeError("the image unpacks to more than is allowed")


@dataclass(slots=True, kw_only=True)
class LayerNotes:
    """Beside its files. Paths are relative. `removed` goes from the layers below, and so does what they have in
    `opaque` directories; `directories` are those that the layer names, others are only on the way to a file."""

    removed: list[str] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    size: int = 0
    entries: int = 0


def unpack_layer(archive: tarfile.TarFile, tree: Path, allowance: Allowance) -> LayerNotes:
    """Writes the archive's entries into `tree`, an empty directory nobody else knows of. Raises InvalidImageError,
    OSError."""
    notes = LayerNotes()
    modes: dict[Path, int] = {}
    while (entry := archive.next()) is not None:
        allowance.take(entry.size if entry.isreg() else 0)
        notes.size += entry.size if entry.isreg() else 0
        notes.entries += 1
        parts = parts_of(entry.name)
        archive.members = []  # type: ignore[attr-defined] # tarfile would remember them all
        if not parts:
            continue
        if parts[-1].startswith(_WHITEOUT):
            _note_whiteout(parts, notes)
            continue
        _make(archive, entry, parts, tree, notes, modes)
    for directory, mode in modes.items():
        if is_directory(directory):
            directory.chmod(mode)
    return notes


def _note_whiteout(parts: list[str], notes: LayerNotes) -> None:
    *parent, name = parts
    if name == _OPAQUE:
        notes.opaque.append("/".join(parent))
    elif not name.startswith(_WHITEOUT * 2) and name not in (_WHITEOUT, ".wh..", ".wh..."):
        notes.removed.append("/".join([*parent, name.removeprefix(_WHITEOUT)]))


def _make(
    archive: tarfile.TarFile,
    entry: tarfile.TarInfo,
    parts: list[str],
    tree: Path,
    notes: LayerNotes,
    modes: dict[Path, int],
) -> None:
    parent = _directory(tree, parts[:-1])
    place = parent / parts[-1]
    if entry.isdir():
        if not is_directory(place):
            _clear(place)
            place.mkdir(mode=0o755)
        modes[place] = stat.S_IMODE(entry.mode) & 0o777 | 0o700
        notes.directories.append("/".join(place.relative_to(tree).parts))
    elif entry.issym():
        _clear(place)
        if not entry.linkname or "\0" in entry.linkname:
            raise InvalidImageError(f"{entry.name[:80]!r} links to nothing")
        place.symlink_to(entry.linkname)
    elif entry.islnk():
        _link(tree, entry, place)
    elif entry.isreg():
        _clear(place)
        _write(archive, entry, place)


def _directory(tree: Path, parts: list[str]) -> Path:
    """The directory of that path, made where it is missing."""
    found = resolve(tree, "/".join(parts))
    if found is None:
        raise InvalidImageError(f"{'/'.join(parts)[:80]!r} is no directory")
    for place in (*reversed(found.relative_to(tree).parents[:-1]), found.relative_to(tree)):
        if not is_directory(tree / place):
            _clear(tree / place)
            (tree / place).mkdir(mode=0o755)
    return found


def _link(tree: Path, entry: tarfile.TarInfo, place: Path) -> None:
    *parent, name = parts_of(entry.linkname) or [""]
    directory = resolve(tree, "/".join(parent))
    source = None if directory is None else directory / name
    mode = None if source is None else mode_of(source)
    if source is None or mode is None or stat.S_ISDIR(mode):
        raise InvalidImageError(f"{entry.name[:80]!r} is a link to {entry.linkname[:80]!r}, which is no file")
    if source != place:
        _clear(place)
        os.link(source, place, follow_symlinks=False)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    source = archive.extractfile(entry)
    assert source is not None, "it is a regular file"
    with open(os.open(place, flags, 0o600), "wb", buffering=0) as target:  # noqa: PTH123 - needs the flags
        os.fchmod(target.fileno(), stat.S_IMODE(entry.mode) & 0o777 | 0o400)
        shutil.copyfileobj(source, target, _CHUNK_BYTES)


def _clear(place: Path) -> None:
    """Of two entries with one name the later one counts."""
    if is_directory(place):
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
