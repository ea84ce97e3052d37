"""The registry's layers as files, named by what they contain.

incoming/<upload id>   being received; emptied at every start
sha256/ab/cdef…        whole, verified and synced
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import Any

from lambent.base.disk import sync_directory
from lambent.store.ports.errors import ContentMissingError, ContentStoreFullError

_READ_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Upload:
    """`hash` has seen all that is in the file."""

    path: Path
    hash: Any = field(default_factory=hashlib.sha256)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class LayerFiles:
    """Implements lambent.store.ports.layer_contents.LayerContents."""

    def __init__(self, directory: Path, node: str = "") -> None:
        """Where several nodes share the directory, each of them receives in its own below incoming/."""
        self._incoming = directory / "incoming" / node
        self._whole = directory / "sha256"
        self._uploads: dict[str, _Upload] = {}

    def open(self) -> None:
        """Blocking."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        for place in (self._incoming, self._whole):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where the content with this digest is, if it is here."""
        digits = digest.partition(":")[2]
        assert len(digits) == 64 and digits.isalnum(), digest
        return self._whole / digits[:2] / digits[2:]

    async def begin(self, upload_id: str) -> None:
        upload = _Upload(self._incoming / upload_id)
        await asyncio.to_thread(upload.path.touch, mode=0o600)
        self._uploads[upload_id] = upload

    async def append(self, upload_id: str, data: bytes) -> None:
        upload = self._find(upload_id)
        async with upload.turn:
            # Not to be broken off: a write that goes on behind a cancelled caller would be overtaken by the next.
            await _uncancelled(asyncio.to_thread(_append, upload, data))

    async def finish(self, upload_id: str, digest: str) -> bool:
        upload = self._find(upload_id)
        async with upload.turn:
            if f"sha256:{upload.hash.hexdigest()}" != digest:
                return False
            await _uncancelled(asyncio.to_thread(_publish, upload.path, self.path(digest)))
            self._uploads.pop(upload_id, None)
        return True

    async def discard(self, upload_id: str) -> None:
        upload = self._uploads.pop(upload_id, None)
        if upload is not None:
            async with upload.turn:
                await asyncio.to_thread(upload.path.unlink, missing_ok=True)

    async def size(self, digest: str) -> int | None:
        try:
            return (await asyncio.to_thread(self.path(digest).stat)).st_size
        except FileNotFoundError:
            return None

    async def read(self, digest: str, offset: int, length: int) -> AsyncIterator[bytes]:
        try:
            descriptor = await asyncio.to_thread(os.open, self.path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise ContentMissingError(digest) from error
        return _pieces(descriptor, offset, length)

    async def names(self, *, older_than: float) -> Sequence[str]:
        def work() -> list[str]:
            return [
                f"sha256:{shard.name}{path.name}"
                for shard in self._whole.iterdir()
                for path in shard.iterdir()
                if path.stat().st_mtime < older_than
            ]

        return await asyncio.to_thread(work)

    async def remove(self, digests: Sequence[str], *, older_than: float) -> None:
        def work() -> None:
            for path in map(self.path, digests):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < older_than:
                        path.unlink()

        await asyncio.to_thread(work)

    def _find(self, upload_id: str) -> _Upload:
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise ContentMissingError(upload_id)
        return upload


async def _uncancelled(work: Any) -> None:
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _append(upload: _Upload, data: bytes) -> None:
    try:
        with upload.path.open("ab") as file:
            file.write(data)
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT, EFBIG):
            raise ContentStoreFullError(f"the disk that holds the layers takes no more: {error}") from error
        raise
    upload.hash.update(data)


def _publish(received: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with received.open("rb") as file:
        os.fsync(file.fileno())
    os.utime(received)  # it is as old as its last completion: what is new is not swept
    received.rename(place)
    for directory in (place.parent, place.parent.parent):
        sync_directory(directory)


async def _pieces(descriptor: int, offset: int, length: int) -> AsyncIterator[bytes]:
    try:
        at, end = offset, offset + length
        while at < end:
            piece = await asyncio.to_thread(os.pread, descriptor, min(_READ_BYTES, end - at), at)
            if not piece:
                raise ContentMissingError("a layer is shorter than it was")
            at += len(piece)
            yield piece
    finally:
        os.close(descriptor)
