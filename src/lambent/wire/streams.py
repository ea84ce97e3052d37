"""Which request bodies are handed on while they arrive, and what becomes of them where the operation wants them
whole."""

from collections.abc import Mapping

from lambent.http.message import Request
from lambent.model.error import ServiceException
from lambent.wire.service import Match

_WHOLE_BYTES_MOST = 8 * 1024 * 1024
"""More than any document that S3 takes."""


class MaxMessageLengthExceeded(ServiceException):
    status = 400


def is_streamed(method: str, target: str, headers: Mapping[str, str]) -> bool:
    """For http.reader.Streams: what S3 stores, and what says by itself how its body is verified."""
    if method != "PUT":
        return False
    authorization = headers.get("authorization")
    if authorization is None:
        return "%2Fs3%2Faws4_request" in target or "AWSAccessKeyId=" in target
    return "/s3/aws4_request" in authorization and "x-amz-content-sha256" in headers


async def settle_stream(request: Request, match: Match) -> None:
    """Leaves a stream to an operation that takes one, and reads it for any other. Raises MaxMessageLengthExceeded, and
    what reading it raises."""
    if match.compiled.model.has_streaming_input:
        return
    assert request.stream is not None
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream:
        size += len(piece)
        if size > _WHOLE_BYTES_MOST:
            raise MaxMessageLengthExceeded("Your request was too large.")
        pieces.append(piece)
    request.body, request.stream = b"".join(pieces), None
