"""Links to deployment packages, as GetFunction and GetLayerVersion hand them out, and the page behind them."""

from lambent.artifacts.errors import ArtifactNotFoundError
from lambent.base.clock import Clock
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.services.lambda_.ports import Artifacts
from lambent.wire.signed_links import LinkRefusedError, SignedLinks, refusal

PATH = "/_lambent/code/"
_VALID_SECONDS = 600


class CodeDownloads:
    """`secret` signs the links; whoever knows it can read every package."""

    def __init__(self, artifacts: Artifacts, clock: Clock, secret: bytes) -> None:
        self._artifacts = artifacts
        self._links = SignedLinks(PATH, _VALID_SECONDS, clock, secret)

    def url(self, caller: Caller, digest: str) -> str:
        """A link on the address by which the caller reached us, valid for ten minutes."""
        return self._links.url(caller, digest)

    async def download(self, request: Request) -> Response:
        """Answers GET and HEAD of every path that begins with PATH."""
        try:
            size, archive = await self._artifacts.stream(self._links.followed(request))
        except LinkRefusedError as refused:
            return refused.response
        except ArtifactNotFoundError:
            return refusal(404, "The package has been deleted.")
        headers = [
            ("Content-Type", "application/zip"),
            ("Content-Length", str(size)),
            ("Cache-Control", "private, no-store"),
        ]
        return Response(200, headers, archive)
