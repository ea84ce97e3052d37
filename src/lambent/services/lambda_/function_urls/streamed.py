"""The HTTP response of a function URL whose mode is RESPONSE_STREAM, or whose function streams although it is not.

A function that sets status and headers (awslambda.HttpResponseStream.from) says them first, as JSON before eight NUL
bytes. What is not streamed is sent as it is. A function that fails midway ends the response, without a sign, as on AWS.

Source: https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html, and recorded answers
"""

from collections.abc import AsyncGenerator, AsyncIterator

from lambent.http.message import Response
from lambent.services.lambda_.function_urls.response import (
    JSON,
    MalformedResponseError,
    described,
    response_of,
    status_and_headers,
)
from lambent.services.lambda_.ports import ResponseStream

HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"
_DELIMITER = bytes(8)
_PRELUDE_MOST = 1024 * 1024


async def streamed_response(stream: ResponseStream) -> Response:
    """Of the mode RESPONSE_STREAM. Raises MalformedResponseError."""
    pieces = stream.pieces()
    if not stream.streamed:
        async for _ in pieces:
            pass
        assert stream.result is not None
        status, headers = status_and_headers(described(stream.result.payload))
        return Response(status, headers, stream.result.payload)
    if stream.content_type != HTTP_INTEGRATION:
        content_type = stream.content_type or "application/octet-stream"
        return Response(200, [("content-type", content_type)], _rest(b"", pieces))
    prelude, first = await _prelude(pieces)
    status, headers = status_and_headers(described(prelude))
    return Response(status, headers, _rest(first, pieces))


async def collected_response(stream: ResponseStream) -> Response:
    """Of the mode BUFFERED, where the function streams: AWS takes status and headers, and then sends no body. Raises
    MalformedResponseError."""
    whole = b"".join([piece async for piece in stream.pieces()])
    if stream.content_type == HTTP_INTEGRATION:
        return Response(*status_and_headers(described(whole.partition(_DELIMITER)[0])))
    return response_of(whole) if whole else Response(200, [("content-type", JSON)])


async def _prelude(pieces: AsyncIterator[bytes]) -> tuple[bytes, bytes]:
    """The JSON, and what came with it of the body. Both empty where the function wrote nothing."""
    received = bytearray()
    async for piece in pieces:
        received += piece
        prelude, delimiter, rest = bytes(received).partition(_DELIMITER)
        if delimiter:
            return prelude, rest
        if len(received) > _PRELUDE_MOST:
            break
    if received:
        raise MalformedResponseError("the prelude has no end")
    return b"", b""


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for piece in pieces:
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
