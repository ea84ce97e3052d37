"""The bytes of layers that are pushed to the registry, by their digests ("sha256:…")."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class LayerContents(Protocol):
    """What is being received is forgotten by a restart; what was finished is not."""

    async def begin(self, upload_id: str) -> None: ...

    async def append(self, upload_id: str, data: bytes) -> None:
        """Raises ContentMissingError where no such upload was begun, ContentStoreFullError."""
        ...

    async def finish(self, upload_id: str, digest: str) -> bool:
        """Whether what was received has this digest; then it is on disk to stay, by that name, and else still being
        received. Raises ContentMissingError."""
        ...

    async def discard(self, upload_id: str) -> None: ...

    async def size(self, digest: str) -> int | None:
        """In bytes; None where there is no such content."""
        ...

    async def read(self, digest: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Raises ContentMissingError."""
        ...

    async def names(self, *, older_than: float) -> Sequence[str]:
        """Digests of the contents that were there before that time (epoch seconds)."""
        ...

    async def remove(self, digests: Sequence[str], *, older_than: float) -> None:
        """Of these, what was there before that time, and has not been finished again since."""
        ...
