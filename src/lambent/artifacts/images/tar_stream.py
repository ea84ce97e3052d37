"""A layer's bytes as tarfile reads them: decompressed as they are asked for, counted, forwards only."""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from lambent.artifacts.images.errors import ImageTooLargeError, InvalidImageError

_READ_MOST_BYTES = 16 * 1024 * 1024
"""At once. Files are read in small pieces: only a header of a hostile archive is longer."""
_SKIP_BYTES = 1024 * 1024


class _Hashing:
    """A file that is read once, and what its bytes hash to."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data

    def drain(self) -> None:
        while self.read(_SKIP_BYTES):
            continue


class _Forwards:
    """What tarfile asks of a file: read, tell, and seek, which only ever goes on, or back by one byte."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self._position = 0
        self._last = b""
        self._again = False

    def tell(self) -> int:
        return self._position - self._again

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset == self._position - 1 and self._last:
            self._again = True
            return offset
        if whence != 0 or offset < self.tell():
            raise InvalidImageError("a layer's headers contradict each other")
        while self.tell() < offset and self.read(min(_SKIP_BYTES, offset - self.tell())):
            continue
        return self.tell()

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _READ_MOST_BYTES:
            raise InvalidImageError("a layer has a header that is too long")
        if size == 0:
            return b""
        again, self._again = self._last if self._again else b"", False
        data = self._file.read(size - len(again))
        self._position += len(data)
        if self._position > self._most_bytes:
            raise ImageTooLargeError(f"a layer unpacks to more than {self._most_bytes} bytes")
        self._last = data[-1:] or self._last
        return again + data


@contextmanager
def opened_layer(
    path: Path, compression: Literal["tar", "gzip"], digest: str, most_bytes: int
) -> Iterator[tarfile.TarFile]:
    """The archive in the file at `path`, for one pass over it; at its end the file is compared with `digest` (64
    hexadecimal digits). Raises InvalidImageError, for whatever tarfile trips over too; OSError of the disk."""
    with path.open("rb") as file:
        hashing = _Hashing(file)
        try:
            source = cast("BinaryIO", hashing)
            plain = (
                source if compression == "tar" else cast("BinaryIO", gzip.GzipFile(fileobj=source, mode="rb"))
            )
            forwards = _Forwards(plain, most_bytes)
            with tarfile.TarFile(
                fileobj=cast("BinaryIO", forwards), mode="r", errorlevel=2, encoding="utf-8"
            ) as archive:
                yield archive
            hashing.drain()
        except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, ValueError, OverflowError) as error:
            raise InvalidImageError(f"a layer cannot be read: {error}") from error
        if hashing.sha256.hexdigest() != digest:
            raise InvalidImageError(f"a layer is not what its digest sha256:{digest} says")
