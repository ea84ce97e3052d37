"""Bytes of S3's objects as files of a directory: written aside, renamed into place, synced, never changed again.

    incoming/   half-received bodies; emptied at every start
    objects/ab/cdef…   contents by their random names

What takes long (writing, hashing, syncing) runs on threads of its own. The disk is at work while a piece is hashed, and
what is renamed before it is synced needs one commit of the file system's journal instead of two: nothing refers to it
yet, and whatever a crash leaves of it is a stray.
"""

import os
import secrets
import shutil
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from errno import EDQUOT, EFBIG, EMLINK, ENOSPC, EOPNOTSUPP, EPERM, EXDEV
from functools import partial
from pathlib import Path
from typing import TypeVar

from lambent.base.disk import begin_write_back, sync_directory
from lambent.base.threads import Threads
from lambent.store.content_readers import ContentReaders
from lambent.store.ports.contents import Body, Content, Digest, Seal, Segment
from lambent.store.ports.errors import ContentMissingError, ContentStoreFullError, StoreClosedError

T = TypeVar("T")

_THREADS = 8
_READ_BYTES = 1024 * 1024
_WRITE_BYTES = 1024 * 1024
_EARLY_BYTES = 128 * 1024
"""From this size on it is worth a call to have the disk begin early."""
_STRAY_SECONDS = 3600
"""How old has to be, where other nodes write, what is looked for at a start: theirs may yet be referred to."""
_FULL = frozenset({ENOSPC, EDQUOT, EFBIG})
_NO_LINK = frozenset({EMLINK, EPERM, EXDEV, EOPNOTSUPP})


class ObjectFiles:
    """Implements lambent.store.ports.contents.ContentStore. `open` before the first use, `close` after the last."""

    def __init__(self, directory: Path, node: str = "") -> None:
        """Where several nodes share the directory, `node` is the name of this one, which receives in its own below
        incoming/."""
        self._alone = not node
        self._incoming = directory / "incoming" / node
        self._objects = directory / "objects"
        self._threads: Threads | None = None
        self._strays_before_ns = 0
        self._readers = ContentReaders()

    def open(self) -> None:
        """Blocking. What a crash left half received goes."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        for directory in (self._incoming, self._objects):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for shard in range(256):
            (self._objects / f"{shard:02x}").mkdir(mode=0o700, exist_ok=True)
        sync_directory(self._objects)
        opened = self._incoming / "opened"
        opened.touch(mode=0o600)
        unsure_ns = 0 if self._alone else _STRAY_SECONDS * 1_000_000_000
        self._strays_before_ns = opened.stat().st_ctime_ns - unsure_ns
        self._threads = Threads("object-files", _THREADS)
        self._threads.start()

    def close(self) -> None:
        """Blocking, idempotent."""
        if self._threads is not None:
            threads, self._threads = self._threads, None
            threads.close()

    async def receive(self, body: Body, digest: Digest, seal: Seal | None = None) -> Content:
        name = secrets.token_hex(16)
        incoming = _Incoming(self._incoming / name, self._path(name), digest, seal)
        kept = False
        try:
            if isinstance(body, bytes):
                await self._run(partial(incoming.write_last, [body]))
            else:
                await self._receive_stream(incoming, body)
            kept = True
        except OSError as error:
            raise _translated(error) from error
        finally:
            if not kept:
                await self._clean_up(incoming)
        return Content(name=name)

    async def _receive_stream(self, incoming: "_Incoming", body: AsyncIterator[bytes]) -> None:
        pieces: list[bytes] = []
        size = 0
        async for piece in body:
            pieces.append(piece)
            size += len(piece)
            if size >= _WRITE_BYTES:
                taken, pieces, size = pieces, [], 0
                await self._run(partial(incoming.write, taken))
        await self._run(partial(incoming.write_last, pieces))

    async def _clean_up(self, incoming: "_Incoming") -> None:
        """Behind whatever a thread still does with it: a cancelled caller does not end the thread's work."""
        if self._threads is not None:  # else the next start cleans up
            self._threads.run(incoming.discard)

    async def share(self, content: str) -> Content:
        name = secrets.token_hex(16)
        try:
            await self._run(lambda: _link(self._path(content), self._incoming / name, self._path(name)))
        except FileNotFoundError as error:
            raise ContentMissingError(content) from error
        except OSError as error:
            raise _translated(error) from error
        return Content(name=name)

    async def read(self, segments: Sequence[Segment]) -> AsyncGenerator[bytes, None]:
        with self._readers.one_of({segment.content for segment in segments}):
            for segment in segments:
                if segment.length <= _READ_BYTES:
                    yield await self._run(partial(self._read_whole, segment))
                    continue
                descriptor = await self._run(partial(self._open, segment.content))
                try:
                    async for piece in self._read_segment(descriptor, segment):
                        yield piece
                finally:
                    os.close(descriptor)

    async def _read_segment(self, descriptor: int, segment: Segment) -> AsyncGenerator[bytes, None]:
        at, end = segment.offset, segment.offset + segment.length
        while at < end:
            piece = await self._run(partial(_read_exactly, descriptor, min(_READ_BYTES, end - at), at))
            at += len(piece)
            yield piece

    def _read_whole(self, segment: Segment) -> bytes:
        descriptor = self._open(segment.content)
        try:
            return _read_exactly(descriptor, segment.length, segment.offset)
        finally:
            os.close(descriptor)

    async def remove(self, contents: Sequence[str]) -> Sequence[str]:
        unread = self._readers.unread(contents)
        await self._run(partial(self._unlink, unread))
        return unread

    def _unlink(self, contents: Sequence[str]) -> None:
        for content in contents:
            self._path(content).unlink(missing_ok=True)

    async def old_names(self) -> AsyncGenerator[Sequence[str], None]:
        for shard in range(256):
            yield await self._run(partial(self._old_names, f"{shard:02x}"))

    def _old_names(self, shard: str) -> list[str]:
        with os.scandir(self._objects / shard) as entries:
            return [
                shard + entry.name for entry in entries if entry.stat().st_ctime_ns < self._strays_before_ns
            ]

    def _open(self, content: str) -> int:
        try:
            return os.open(self._path(content), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise ContentMissingError(content) from error

    def _path(self, content: str) -> Path:
        return Path(f"{self._objects}/{content[:2]}/{content[2:]}")

    async def _run(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            raise StoreClosedError("the files of objects are closed")
        return await self._threads.run(work)


class _Incoming:
    """One body on its way to the disk. Blocking, and used by one thread at a time; also where it is discarded while a
    thread still writes for a caller that was cancelled."""

    def __init__(self, aside: Path, place: Path, digest: Digest, seal: Seal | None) -> None:
        self._aside = aside
        self._place = place
        self._digest = digest
        self._seal = seal
        self._descriptor = -1
        self._written = 0
        self._discarded = False
        self._busy = threading.Lock()

    def write(self, pieces: Sequence[bytes]) -> None:
        with self._busy:
            if not self._discarded:
                self._write(pieces)

    def write_last(self, pieces: Sequence[bytes]) -> None:
        """Refuses what the digest refuses, before anything has to be waited for."""
        with self._busy:
            if self._discarded:
                return
            self._write(pieces)
            self._digest.finish()
            self._aside.rename(self._place)
            os.fsync(self._descriptor)
            self._close()
            sync_directory(self._place.parent)

    def discard(self) -> None:
        with self._busy:
            self._discarded = True
            self._close()
            self._aside.unlink(missing_ok=True)
            self._place.unlink(missing_ok=True)

    def _write(self, pieces: Sequence[bytes]) -> None:
        if self._descriptor < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self._aside, flags, 0o600)
        # Joined first: for each piece, hashing and writing would let go of the interpreter, and have to wait for it.
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        view = memoryview(data if self._seal is None else self._seal(data))
        while view:
            view = view[os.write(self._descriptor, view) :]
        if len(data) >= _EARLY_BYTES:
            begin_write_back(self._descriptor, self._written, len(data))
        self._written += len(data)
        self._digest.update(data)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _read_exactly(descriptor: int, size: int, offset: int) -> bytes:
    piece = os.pread(descriptor, size, offset)
    assert len(piece) == size, "a content is shorter than it was"
    return piece


def _link(source: Path, aside: Path, place: Path) -> None:
    """The same file under a second name: contents never change, so that a copy need not be one."""
    try:
        os.link(source, place)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        try:
            shutil.copyfile(source, aside)
            with aside.open("rb") as copied:
                os.fsync(copied.fileno())
            aside.rename(place)
        finally:
            aside.unlink(missing_ok=True)
    sync_directory(place.parent)


def _translated(error: OSError) -> Exception:
    if error.errno in _FULL:
        return ContentStoreFullError(f"the disk that holds the objects takes no more: {error.strerror}")
    return error
