"""The bytes of S3's objects: small ones are stored with what is known of the object, all others are files.

A file costs two syncs of its own and a thread's turn for each step, whatever its size; with the object's row it is one
sync, shared by all who write at the time. Beyond some size the database's log, into which everything is written first,
costs more than that, and holds up who else wants to write.
"""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from lambent.store.content_readers import ContentReaders
from lambent.store.ports.contents import Body, Content, ContentStore, Digest, Seal, Segment, SmallContents

SMALL_BYTES_MOST = 32 * 1024
_SMALL = "small-"


class ObjectContents:
    """Implements lambent.store.ports.contents.ContentStore over two others, told apart by their contents' names."""

    def __init__(
        self, files: ContentStore, small: SmallContents, *, small_bytes_most: int = SMALL_BYTES_MOST
    ) -> None:
        self._files = files
        self._small = small
        self._small_bytes_most = small_bytes_most
        self._readers = ContentReaders()

    async def receive(self, body: Body, digest: Digest, seal: Seal | None = None) -> Content:
        if not isinstance(body, bytes):
            body = await self._begin(body)
        if (
            not isinstance(body, bytes)
            or len(body) > self._small_bytes_most
            or not await self._small.are_readable()
        ):
            return await self._files.receive(body, digest, seal)
        digest.update(body)
        digest.finish()
        return _small(body if seal is None else seal(body))

    async def _begin(self, body: AsyncIterator[bytes]) -> Body:
        """All of it, where that is little; else the same again."""
        pieces: list[bytes] = []
        size = 0
        async for piece in body:
            pieces.append(piece)
            size += len(piece)
            if size > self._small_bytes_most:
                return _resumed(pieces, body)
        return b"".join(pieces)

    async def share(self, content: str) -> Content:
        if _is_small(content):
            return _small(await self._small.read(content))
        return await self._files.share(content)

    def read(self, segments: Sequence[Segment]) -> AsyncGenerator[bytes, None]:
        if any(_is_small(segment.content) for segment in segments):
            return self._read_each(segments)
        return self._files.read(segments)

    async def _read_each(self, segments: Sequence[Segment]) -> AsyncGenerator[bytes, None]:
        with self._readers.one_of({segment.content for segment in segments}):
            for segment in segments:
                if _is_small(segment.content):
                    data = await self._small.read(segment.content)
                    yield data[segment.offset : segment.offset + segment.length]
                    continue
                async with aclosing(self._files.read([segment])) as pieces:
                    async for piece in pieces:
                        yield piece

    async def remove(self, contents: Sequence[str]) -> Sequence[str]:
        unread = self._readers.unread(contents)
        small = [content for content in unread if _is_small(content)]
        if small:
            await self._small.remove(small)
        files = [content for content in unread if not _is_small(content)]
        return [*small, *(await self._files.remove(files) if files else ())]

    def old_names(self) -> AsyncGenerator[Sequence[str], None]:
        """Of files: what is small is there with what refers to it, or not at all."""
        return self._files.old_names()


async def _resumed(read: Sequence[bytes], rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in read:
        yield piece
    async for piece in rest:
        yield piece


def _small(data: bytes) -> Content:
    return Content(name=f"{_SMALL}{secrets.token_hex(16)}", data=data)


def _is_small(content: str) -> bool:
    return content.startswith(_SMALL)
