"""Paths inside a tree that is to be somebody's root: links in it count from that root, and never lead out of it."""

import os
import stat
from pathlib import Path

from lambent.artifacts.images.errors import InvalidImageError

_LINKS_MOST = 40
_DEPTH_MOST = 128
_NAME_MOST_BYTES = 255
_PATH_MOST_BYTES = 3072  # PATH_MAX is 4096, and the tree lies somewhere


def parts_of(name: str) -> list[str]:
    """The components of an archive's path. One that begins with / is meant from the root. Raises InvalidImageError."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise InvalidImageError(f"{name[:80]!r} has '..' in its path")
    if (
        len(parts) > _DEPTH_MOST
        or len(os.fsencode(name)) > _PATH_MOST_BYTES
        or any(len(os.fsencode(part)) > _NAME_MOST_BYTES for part in parts)
    ):
        raise InvalidImageError(f"{name[:80]!r} is too long or too deep")
    return parts


def resolve(root: Path, path: str) -> Path | None:
    """Where `path` leads inside `root`, as a path without links; what it names need not exist. None where a link leads
    round in circles, or through what is no directory.

    Nobody else may change the tree meanwhile."""
    waiting = list(reversed(path.split("/")))
    reached: list[str] = []
    links = 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if reached:
                reached.pop()
            continue
        place = root.joinpath(*reached, part)
        mode = mode_of(place)
        if mode is not None and stat.S_ISLNK(mode):
            links += 1
            if links > _LINKS_MOST:
                return None
            target = os.readlink(place)  # noqa: PTH115 - the text as it is, which pathlib would tidy up
            if target.startswith("/"):
                reached = []
            waiting.extend(reversed(target.split("/")))
            continue
        if mode is not None and not stat.S_ISDIR(mode) and any(part not in ("", ".") for part in waiting):
            return None
        reached.append(part)
    return root.joinpath(*reached)


def mode_of(path: Path) -> int | None:
    """Of what is there, and not of what a link there leads to; None where nothing is."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_directory(path: Path) -> bool:
    mode = mode_of(path)
    return mode is not None and stat.S_ISDIR(mode)
