"""Links to layers, as GetDownloadUrlForLayer hands them out, and the page behind them. A link works for anybody who has
it, like AWS's: it is signed, names one layer, and expires."""

import hashlib
import hmac
from urllib.parse import parse_qs, urlencode

from lambent.base.clock import Clock
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.model.image import is_digest
from lambent.services.ecr.layer_response import layer_response
from lambent.store.ports.errors import ContentMissingError
from lambent.store.ports.layer_contents import LayerContents

PATH = "/_lambent/layers/"
_VALID_SECONDS = 3600


class LayerDownloads:
    """`secret` signs the links; whoever knows it can read every layer."""

    def __init__(self, contents: LayerContents, clock: Clock, secret: bytes) -> None:
        self._contents = contents
        self._clock = clock
        self._secret = secret

    def url(self, caller: Caller, digest: str) -> str:
        """A link on the address by which the caller reached us, valid for an hour."""
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
        signed = hmac.compare_digest(signature.encode(), self._signature(digest, expires).encode())
        if not signed or not is_digest(digest):
            return _refusal(403, "The link is not one of ours.")
        if int(expires) < self._clock.now():
            return _refusal(403, "The link has expired.")
        try:
            return await layer_response(self._contents, digest, request)
        except ContentMissingError:
            return _refusal(404, "The layer has been deleted.")

    def _signature(self, digest: str, expires: str) -> str:
        return hmac.new(self._secret, f"{digest}\n{expires}".encode(), hashlib.sha256).hexdigest()


def _refusal(status: int, message: str) -> Response:
    return Response(status, [("Content-Type", "text/plain; charset=utf-8")], f"{message}\n".encode())
