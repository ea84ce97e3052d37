"""Links to layers, as GetDownloadUrlForLayer hands them out, and the page behind them."""

from lambent.base.clock import Clock
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.model.image import is_digest
from lambent.services.ecr.layer_response import layer_response
from lambent.store.ports.errors import ContentMissingError
from lambent.store.ports.layer_contents import LayerContents
from lambent.wire.signed_links import LinkRefusedError, SignedLinks, refusal

PATH = "/_lambent/layers/"
_VALID_SECONDS = 3600


class LayerDownloads:
    """`secret` signs the links; whoever knows it can read every layer."""

    def __init__(self, contents: LayerContents, clock: Clock, secret: bytes) -> None:
        self._contents = contents
        self._links = SignedLinks(PATH, _VALID_SECONDS, clock, secret)

    def url(self, caller: Caller, digest: str) -> str:
        """A link on the address by which the caller reached us, valid for an hour."""
        return self._links.url(caller, digest)

    async def download(self, request: Request) -> Response:
        """Answers GET and HEAD of every path that begins with PATH."""
        try:
            digest = self._links.followed(request)
            if not is_digest(digest):
                raise LinkRefusedError(403, "The link is not one of ours.")
            return await layer_response(self._contents, digest, request)
        except LinkRefusedError as refused:
            return refused.response
        except ContentMissingError:
            return refusal(404, "The layer has been deleted.")
