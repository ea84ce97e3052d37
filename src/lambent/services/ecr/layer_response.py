"""A layer as HTTP answers with it: whole, or the one range that is asked for."""

import re

from lambent.http.message import Request, Response
from lambent.store.ports.errors import ContentMissingError
from lambent.store.ports.layer_contents import LayerContents

_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")


async def layer_response(contents: LayerContents, digest: str, request: Request) -> Response:
    """Raises ContentMissingError."""
    size = await contents.size(digest)
    if size is None:
        raise ContentMissingError(digest)
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", digest),
        ("ETag", f'"{digest}"'),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "max-age=31536000"),
    ]
    wanted = _wanted(request.headers.get("range"), size)
    if wanted is None:
        headers.append(("Content-Length", str(size)))
        if request.method == "HEAD":
            return Response(200, headers)
        return Response(200, headers, await contents.read(digest, 0, size))
    first, last = wanted
    if first > last:
        return Response(416, [("Content-Range", f"bytes */{size}")])
    headers += [("Content-Range", f"bytes {first}-{last}/{size}"), ("Content-Length", str(last - first + 1))]
    if request.method == "HEAD":
        return Response(206, headers)
    return Response(206, headers, await contents.read(digest, first, last - first + 1))


def _wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """The first and the last byte, in the wrong order where none can be had; None for everything."""
    found = _RANGE.fullmatch(header or "")
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size - 1
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    return int(found[1]), last
