"""Laying the layers of an image over each other, in order. Files are hard links into the layers' trees: images with the
same base share it."""

import contextlib
import os
import shutil
import stat
from collections.abc import Sequence
from errno import EMLINK
from pathlib import Path

from lambent.artifacts.images.errors import InvalidImageError
from lambent.artifacts.images.layers import LayerNotes
from lambent.artifacts.images.paths import is_directory, mode_of, resolve

_PASSWD_MOST_BYTES = 32 * 1024
_HOSTS = "127.0.0.1 localhost sandbox.localdomain sandbox\n::1 localhost\n"
_USER = "sbx_user1051:x:{uid}:990::/home/sbx_user1051:/sbin/nologin\n"


def lay_layers(layers: Sequence[tuple[Path, LayerNotes]], rootfs: Path) -> None:
    """Fills `rootfs`, an empty directory nobody else knows of. Raises InvalidImageError, OSError."""
    rootfs.chmod(0o755)
    for tree, notes in layers:
        _remove(rootfs, notes)
        _Laying(rootfs, frozenset(notes.directories)).lay(tree, rootfs, "")
    _name_user(rootfs)
    _name_hosts(rootfs)


def _remove(rootfs: Path, notes: LayerNotes) -> None:
    for path in notes.removed:
        parent, _, name = path.rpartition("/")
        directory = resolve(rootfs, parent)
        if directory is not None:
            _clear(directory / name)
    for path in notes.opaque:
        directory = resolve(rootfs, path)
        if directory is not None and is_directory(directory):
            for entry in list(directory.iterdir()):
                _clear(entry)


class _Laying:
    """One layer over those below. Where it only passes through a directory that is a link below, the link stays, and it
    goes where that leads; a directory that it names itself takes the link's place."""

    def __init__(self, rootfs: Path, named: frozenset[str]) -> None:
        self._rootfs = rootfs
        self._named = named

    def lay(self, source: Path, target: Path, path: str) -> None:
        for entry in os.scandir(source):
            beneath = target / entry.name
            inner = f"{path}/{entry.name}" if path else entry.name
            if entry.is_dir(follow_symlinks=False):
                mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
                self.lay(Path(entry.path), self._directory(beneath, inner, mode), inner)
            else:
                _clear(beneath)
                _link(Path(entry.path), beneath)

    def _directory(self, beneath: Path, path: str, mode: int) -> Path:
        if path not in self._named:
            led = resolve(self._rootfs, "/".join(beneath.relative_to(self._rootfs).parts))
            if led is not None and is_directory(led):
                return led
        if not is_directory(beneath):
            _clear(beneath)
            beneath.mkdir()
            beneath.chmod(mode)
        elif path in self._named:
            beneath.chmod(mode)
        return beneath


def _name_user(rootfs: Path) -> None:
    """Has /etc/passwd name whoever a sandbox runs as ("{uid}", see sandbox.port.Root). Its reader, who has privileges,
    follows no link of the image's."""
    etc = rootfs / "etc"
    mode = mode_of(etc)
    if mode is not None and not stat.S_ISDIR(mode):
        raise InvalidImageError("/etc is not a directory")
    passwd = etc / "passwd"
    mode = mode_of(passwd)
    if mode is None:
        return
    if not stat.S_ISREG(mode):
        raise InvalidImageError("/etc/passwd is not a file")
    text = passwd.read_bytes()
    if len(text) > _PASSWD_MOST_BYTES:
        raise InvalidImageError(f"/etc/passwd is over {_PASSWD_MOST_BYTES} bytes")
    kept = text.decode("utf-8", "replace").replace("{uid}", "")
    if kept and not kept.endswith("\n"):
        kept += "\n"
    passwd.unlink()  # the file itself is the layer's
    passwd.write_text(kept + _USER, encoding="utf-8")
    passwd.chmod(0o644)


def _name_hosts(rootfs: Path) -> None:
    """As at AWS, whatever the image has: its own host, and by the names at which extensions listen."""
    etc = rootfs / "etc"
    if not is_directory(etc):
        etc.mkdir()
        etc.chmod(0o755)
    hosts = etc / "hosts"
    _clear(hosts)
    hosts.write_text(_HOSTS, encoding="ascii")
    hosts.chmod(0o644)


def _clear(place: Path) -> None:
    if is_directory(place):
        shutil.rmtree(place)
    else:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # or what is above it is a file
            place.unlink()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno != EMLINK:  # ext4 allows 65,000 links to a file
            raise
        shutil.copy2(source, target, follow_symlinks=False)
