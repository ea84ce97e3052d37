"""Bodies that are verified while they are read: the same checks as of whole ones, made before the last byte is handed
on.

What is read before its check is not to be acted on: whoever reads to the end has a body that was signed as claimed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256

from lambent.http.message import Request
from lambent.wire.sigv4.chunked import STREAMING_PREFIX, ChunkDecoder, ChunkSignatures, open_packing
from lambent.wire.sigv4.errors import Fault, SignatureError

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_IN_A_THREAD_BYTES = 64 * 1024


def guard_stream(request: Request, payload_hash: str, signatures: ChunkSignatures | None) -> None:
    """Puts the check of its body before a request's stream. Raises SignatureError for a packing that is not known."""
    stream = request.stream
    assert stream is not None
    if payload_hash.startswith(STREAMING_PREFIX):
        request.stream = UnpackedStream(stream, open_packing(request, signatures))
    elif payload_hash != UNSIGNED_PAYLOAD:
        request.stream = HashedStream(stream, payload_hash)


class HashedStream:
    """A body whose hash was signed."""

    trailers: Mapping[str, str] = {}

    def __init__(self, stream: AsyncIterator[bytes], claimed: str) -> None:
        self._stream = stream
        self._claimed = claimed
        self._hash = sha256()

    def __aiter__(self) -> "HashedStream":
        return self

    async def __anext__(self) -> bytes:
        """Raises SignatureError in place of the end."""
        try:
            piece = await anext(self._stream)
        except StopAsyncIteration:
            computed = self._hash.hexdigest()
            if computed != self._claimed:
                raise SignatureError(
                    Fault.PAYLOAD_MISMATCH,
                    "The provided 'x-amz-content-sha256' header does not match what was computed.",
                    {"ClientComputedContentSHA256": self._claimed, "S3ComputedContentSHA256": computed},
                ) from None
            raise
        if len(piece) > _IN_A_THREAD_BYTES:
            await asyncio.to_thread(self._hash.update, piece)
        else:
            self._hash.update(piece)
        return piece


class UnpackedStream:
    """A body in aws-chunked. `trailers` are there when it was read to its end."""

    def __init__(self, stream: AsyncIterator[bytes], decoder: ChunkDecoder) -> None:
        self._stream = stream
        self._decoder = decoder

    @property
    def trailers(self) -> Mapping[str, str]:
        return self._decoder.trailers

    def __aiter__(self) -> "UnpackedStream":
        return self

    async def __anext__(self) -> bytes:
        """Raises SignatureError."""
        decoder = self._decoder
        while True:
            try:
                piece = await anext(self._stream)
            except StopAsyncIteration:
                decoder.finish()
                raise
            if len(piece) > _IN_A_THREAD_BYTES:
                unpacked = await asyncio.to_thread(decoder.feed, piece)
            else:
                unpacked = decoder.feed(piece)
            if unpacked:
                return unpacked
