"""Links that work for anybody who has them, like AWS's: each is signed, names one thing, and expires."""

import hashlib
import hmac
from urllib.parse import parse_qs, urlencode

from lambent.base.clock import Clock
from lambent.http.message import Request, Response
from lambent.model.caller import Caller


class LinkRefusedError(Exception):
    """The link leads nowhere. `response` is the answer to it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = refusal(status, message)


class SignedLinks:
    """Links below `path`. Whoever knows `secret` can make them."""

    def __init__(self, path: str, valid_seconds: int, clock: Clock, secret: bytes) -> None:
        self._path = path
        self._valid_seconds = valid_seconds
        self._clock = clock
        self._secret = secret

    def url(self, caller: Caller, name: str) -> str:
        """A link on the address by which the caller reached us."""
        expires = int(self._clock.now()) + self._valid_seconds
        query = urlencode({"Expires": expires, "Signature": self._signature(name, str(expires))})
        return f"{caller.endpoint_url}{self._path}{name}?{query}"

    def followed(self, request: Request) -> str:
        """The name of what a GET or HEAD of a link asks for. Raises LinkRefusedError."""
        if request.method not in ("GET", "HEAD"):
            raise LinkRefusedError(405, "Method Not Allowed")
        name = request.path.removeprefix(self._path)
        query = parse_qs(request.query)
        expires = query.get("Expires", [""])[0]
        signature = query.get("Signature", [""])[0]
        if not hmac.compare_digest(signature.encode(), self._signature(name, expires).encode()):
            raise LinkRefusedError(403, "The link is not one of ours.")
        if int(expires) < self._clock.now():
            raise LinkRefusedError(403, "The link has expired.")
        return name

    def _signature(self, name: str, expires: str) -> str:
        return hmac.new(self._secret, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()


def refusal(status: int, message: str) -> Response:
    return Response(status, [("Content-Type", "text/plain; charset=utf-8")], f"{message}\n".encode())
