"""Laying trees over each other, as Lambda lays layers over /opt: in order, and the later one's files count.

Files are hard links, so a combination of layers costs directories, not bytes; they keep their data when the
trees that they came from are deleted.
"""

import os
import shutil
from collections.abc import Sequence
from errno import EMLINK
from pathlib import Path


def lay_over(trees: Sequence[Path], target: Path) -> None:
    """Fills `target`, an empty directory nobody else knows of. No link in a tree is ever followed. Raises
    OSError."""
    target.chmod(0o755)
    for tree in trees:
        _lay(tree, target)


def tree_size(tree: Path) -> int:
    """Bytes of the files in a tree."""
    return sum(
        entry.stat(follow_symlinks=False).st_size
        for directory, _, _ in os.walk(tree)
        for entry in os.scandir(directory)
        if entry.is_file(follow_symlinks=False)
    )


def _lay(source: Path, target: Path) -> None:
    """`target` is a directory of ours; what is in it and in the way of `source` goes."""
    for entry in os.scandir(source):
        beneath = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if not _is_directory(beneath):
                beneath.unlink(missing_ok=True)
                beneath.mkdir()
                beneath.chmod(0o755)
            _lay(Path(entry.path), beneath)
            continue
        if _is_directory(beneath):
            shutil.rmtree(beneath)
        else:
            beneath.unlink(missing_ok=True)
        _link(Path(entry.path), beneath)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno != EMLINK:  # ext4 allows 65,000 links to a file
            raise
        shutil.copy2(source, target, follow_symlinks=False)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
