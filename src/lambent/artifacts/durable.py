"""Making files and trees appear whole or not at all, also after a power cut."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EEXIST, EFBIG, ENOSPC, ENOTEMPTY
from pathlib import Path

from lambent.artifacts.errors import ArtifactStoreFullError
from lambent.base.disk import sync_directory


def write_file(path: Path, data: bytes) -> None:
    """Creates a file and syncs it."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def publish(made: Path, path: Path) -> None:
    """Gives what was made (and synced) its name. Where a tree has that name already, that one stays."""
    try:
        made.rename(path)
    except OSError as error:
        if error.errno not in (EEXIST, ENOTEMPTY):
            raise
        shutil.rmtree(made)
    sync_directory(path.parent)


def remove(path: Path) -> None:
    """Removes a file or a tree, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def making(path: Path) -> Iterator[Path]:
    """A place for something half made, which is removed if it is not published.

    Raises ArtifactStoreFullError."""
    try:
        yield path
    except OSError as error:
        remove(path)
        if error.errno in (ENOSPC, EDQUOT, EFBIG):
            raise ArtifactStoreFullError(
                f"the disk of {path.parent} takes no more: {error.strerror}"
            ) from error
        raise
    except BaseException:
        remove(path)
        raise
