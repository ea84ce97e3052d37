"""Which functions will import the AWS SDK that Python's runtimes have: seen from their sources."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_NAMES: Final = (b"boto3", b"botocore")
_OWN: Final = frozenset({"boto3", "botocore", "certifi", "dateutil", "jmespath", "s3transfer", "urllib3"})
"""Packages with which a function has an SDK of its own, or a part of one."""
_FILES_MOST = 2_000
_BYTES_MOST = 1 << 18
"""Looked at of each file, as imports stand at its beginning."""


def uses_sdk(trees: Iterable[Path]) -> bool:
    """A guess that costs nobody but time where it is wrong. Blocking."""
    found, left = False, _FILES_MOST
    for tree in trees:
        for directory, directories, files in os.walk(tree):
            if not _OWN.isdisjoint(directories):
                return False
            for name in files:
                if name.endswith(".py") and left and not found:
                    left -= 1
                    found = _mentions_sdk(Path(directory, name))
    return found


def _mentions_sdk(source: Path) -> bool:
    try:
        with source.open("rb") as file:
            beginning = file.read(_BYTES_MOST)
    except OSError:
        return False
    return any(name in beginning for name in _NAMES)
