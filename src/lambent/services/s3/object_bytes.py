"""The bytes of a version, wherever they are: in one file, or in its parts', sealed or as they are."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from lambent.encryption.stream_cipher import StreamCipher
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.ranges import ByteRange
from lambent.store.ports.contents import ContentStore, Segment
from lambent.store.ports.uploads import UploadStore

_AT_ONCE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Piece:
    segment: Segment
    nonce: bytes | None


class ObjectBytes:
    def __init__(self, contents: ContentStore, uploads: UploadStore) -> None:
        self._contents = contents
        self._uploads = uploads

    async def read(
        self, version: ObjectVersion, taken: ByteRange, key: bytes | None = None
    ) -> bytes | AsyncIterator[bytes]:
        """Small ones whole, larger ones as they are read. `key` opens them, where they are sealed. Raises
        ContentMissingError where it was removed meanwhile."""
        if taken.length <= 0:
            return b""
        found = await self._pieces(version, taken)
        plain = [one.segment for one in found]
        pieces = self._contents.read(plain) if key is None else self._opened(found, key)
        if taken.length <= _AT_ONCE_BYTES:
            read = [piece async for piece in pieces]
            return read[0] if len(read) == 1 else b"".join(read)
        # The first piece before the answer begins: what is missing is noticed in time.
        return _chain(await anext(pieces), pieces)

    async def _opened(self, found: Sequence[_Piece], key: bytes) -> AsyncGenerator[bytes, None]:
        for one in found:
            assert one.nonce is not None, "what is sealed has a nonce"
            cipher = StreamCipher(key, one.nonce, one.segment.offset)
            async for piece in self._contents.read([one.segment]):
                yield cipher.update(piece)

    async def _pieces(self, version: ObjectVersion, taken: ByteRange) -> Sequence[_Piece]:
        if version.content is not None:
            whole = Segment(content=version.content, offset=taken.first, length=taken.length)
            return [_Piece(whole, version.nonce)]
        assert version.parts_of is not None
        found = []
        for part in await self._uploads.parts_at(version.parts_of, taken.first, taken.last):
            first = max(taken.first, part.position)
            last = min(taken.last, part.position + part.size - 1)
            if first <= last:
                segment = Segment(content=part.content, offset=first - part.position, length=last - first + 1)
                found.append(_Piece(segment, part.nonce))
        return found


async def _chain(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()
