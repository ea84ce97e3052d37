"""The bytes of a version, wherever they are: in one file, or in its parts'."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.ranges import ByteRange
from lambent.store.ports.contents import ContentStore, Segment
from lambent.store.ports.uploads import UploadStore

_AT_ONCE_BYTES = 1024 * 1024


class ObjectBytes:
    def __init__(self, contents: ContentStore, uploads: UploadStore) -> None:
        self._contents = contents
        self._uploads = uploads

    async def read(self, version: ObjectVersion, taken: ByteRange) -> bytes | AsyncIterator[bytes]:
        """Small ones whole, larger ones as they are read. Raises ContentMissingError where it was removed meanwhile."""
        if taken.length <= 0:
            return b""
        pieces = self._contents.read(await self.segments(version, taken))
        if taken.length <= _AT_ONCE_BYTES:
            found = [piece async for piece in pieces]
            return found[0] if len(found) == 1 else b"".join(found)
        # The first piece before the answer begins: what is missing is noticed in time.
        return _chain(await anext(pieces), pieces)

    async def segments(self, version: ObjectVersion, taken: ByteRange) -> Sequence[Segment]:
        if version.content is not None:
            return [Segment(content=version.content, offset=taken.first, length=taken.length)]
        assert version.parts_of is not None
        segments = []
        for part in await self._uploads.parts_at(version.parts_of, taken.first, taken.last):
            first = max(taken.first, part.position)
            last = min(taken.last, part.position + part.size - 1)
            if first <= last:
                segments.append(
                    Segment(content=part.content, offset=first - part.position, length=last - first + 1)
                )
        return segments


async def _chain(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()
