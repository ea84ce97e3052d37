"""Links to deployment packages, as GetFunction and GetLayerVersion hand them out, and the page behind them.

A link works for anybody who has it, like AWS's: it is signed, names one package, and expires.
"""

import hashlib
import hmac
from urllib.parse import parse_qs, urlencode

from lambent.artifacts.errors import ArtifactNotFoundError
from lambent.base.clock import Clock
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.services.lambda_.ports import Artifacts

PATH = "/_lambent/code/"
_VALID_SECONDS = 600


class CodeDownloads:
    """`secret` signs the links; whoever knows it can read every package."""

    def __init__(self, artifacts: Artifacts, clock: Clock, secret: bytes) -> None:
        self._artifacts = artifacts
        self._clock = clock
        self._secret = secret

    def url(self, caller: Caller, digest: str) -> str:
        """A link on the address by which the caller reached us, valid for ten minutes."""
        expires = int(self._clock.now()) + _VALID_SECONDS
        query = urlencode({"Expires": expires, "Signature": self._signature(digest, str(expires))})
        return f"{caller.endpoint_url}{PATH}{digest}?{query}"

    async def download(self, request: Request) -> Response:
        """Answers GET and HEAD of every path that begins with PATH."""
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "Method Not Allowed")
        digest = request.path.removeprefix(PATH)
        query = parse_qs(request.query)
        expires = query.get("Expires", [""])[0]
        signature = query.get("Signature", [""])[0]
        if not hmac.compare_digest(signature.encode(), self._signature(digest, expires).encode()):
            return _refusal(403, "The link is not one of ours.")
        if int(expires) < self._clock.now():
            return _refusal(403, "The link has expired.")
        try:
            size, archive = await self._artifacts.stream(digest)
        except ArtifactNotFoundError:
            return _refusal(404, "The package has been deleted.")
        headers = [
            ("Content-Type", "application/zip"),
            ("Content-Length", str(size)),
            ("Cache-Control", "private, no-store"),
        ]
        return Response(200, headers, archive)

    def _signature(self, digest: str, expires: str) -> str:
        return hmac.new(self._secret, f"{digest}\n{expires}".encode(), hashlib.sha256).hexdigest()


def _refusal(status: int, message: str) -> Response:
    return Response(status, [("Content-Type", "text/plain; charset=utf-8")], f"{message}\n".encode())
