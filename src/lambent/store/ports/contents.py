"""The bytes of objects and of their parts, which never change."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Body = bytes | AsyncIterator[bytes]
Seal = Callable[[bytes], bytes]
"""From a piece to as many bytes that are written in its place."""


class Digest(Protocol):
    """Sees all bytes of a body, on another thread where they are many."""

    def update(self, data: bytes) -> None: ...

    def finish(self) -> None:
        """After the last byte. What it raises refuses the body, of which nothing is kept then."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What refers to it keeps its `name`. Where there is `data`, it is these bytes, and stored nowhere yet: they are
    given to the store of what refers to it (ports/objects.py, ports/uploads.py), which writes both in one transaction.
    """

    name: str
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """`length` bytes of a content, by its name, from `offset` on."""

    content: str
    offset: int
    length: int


class ContentStore(Protocol):
    async def receive(self, body: Body, digest: Digest, seal: Seal | None = None) -> Content:
        """Takes a body, whole or as it comes: what `seal` makes of its pieces, one after the other. Where it has no
        `data`, it is on disk to stay then. Raises what the body or the digest raises, ContentStoreFullError; then, and
        when it is cancelled, nothing is left."""
        ...

    async def share(self, content: str) -> Content:
        """A second content with the same bytes, without copying them where the file system can; as if received. Raises
        ContentMissingError."""
        ...

    def read(self, segments: Sequence[Segment]) -> AsyncGenerator[bytes, None]:
        """The segments' bytes, one after the other, in large pieces. Raises ContentMissingError with the first. What is
        being read is not removed before its reader has ended."""
        ...

    async def remove(self, contents: Sequence[str]) -> Sequence[str]:
        """Returns those that are gone now: all but the ones that somebody still reads."""
        ...

    def old_names(self) -> AsyncGenerator[Sequence[str], None]:
        """Contents that were there before this store was opened, and that may belong to nothing, some at a time; it
        need not be all of them."""
        ...


class SmallContents(Protocol):
    """The bytes of contents that were stored with what refers to them."""

    async def are_readable(self) -> bool:
        """By every node that lives: an older one does not know of them, while one after the other is upgraded."""
        ...

    async def read(self, name: str) -> bytes:
        """Raises ContentMissingError."""
        ...

    async def remove(self, names: Sequence[str]) -> None: ...
