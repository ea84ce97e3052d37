"""Layers and configurations: read, and uploaded whole, in a stream or in chunks."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.model.error import ServiceException
from lambent.model.image import is_digest
from lambent.model.service import Client
from lambent.services.ecr.door.errors import RegistryError
from lambent.services.ecr.door.visit import Visit
from lambent.services.ecr.layer_response import layer_response
from lambent.services.ecr.layers import Layers
from lambent.store.ports.errors import ContentMissingError
from lambent.store.ports.layer_contents import LayerContents

_PIECE_BYTES = 4 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?([0-9]+)-([0-9]+)(?:/.*)?")


class Blobs:
    def __init__(self, client: Client, layers: Layers, contents: LayerContents) -> None:
        self._client = client
        self._layers = layers
        self._contents = contents

    def handlers(self) -> dict[tuple[str, str], Callable[[Visit, Request], Awaitable[Response]]]:
        return {
            ("GET", "blob"): self.get,
            ("HEAD", "blob"): self.get,
            ("POST", "uploads"): self.begin,
            ("PATCH", "upload"): self.append,
            ("PUT", "upload"): self.finish,
            ("GET", "upload"): self.status,
            ("DELETE", "upload"): self.cancel,
        }

    async def get(self, visit: Visit, request: Request) -> Response:
        digest = visit.asked.reference
        try:
            await self._call(visit, "GetDownloadUrlForLayer", layerDigest=digest)
            return await layer_response(self._contents, digest, request)
        except ContentMissingError as error:
            raise _unknown(digest) from error
        except ServiceException as error:
            if error.code == "LayersNotFoundException":
                raise _unknown(digest) from error
            raise

    async def begin(self, visit: Visit, request: Request) -> Response:
        query = visit.asked.query
        if "mount" in query and (mounted := await self._mount(visit, query["mount"], query.get("from"))):
            return mounted
        begun = await self._call(visit, "InitiateLayerUpload")
        upload_id = begun["uploadId"]
        if "digest" in query:
            await self._append(visit, upload_id, request)
            return await self._complete(visit, upload_id, query["digest"])
        return Response(202, self._progress(visit, upload_id))

    async def append(self, visit: Visit, request: Request) -> Response:
        upload_id = visit.asked.reference
        self._require_next(visit, request)
        await self._append(visit, upload_id, request)
        return Response(202, self._progress(visit, upload_id))

    async def finish(self, visit: Visit, request: Request) -> Response:
        upload_id, digest = visit.asked.reference, visit.asked.query.get("digest", "")
        if not is_digest(digest):
            raise RegistryError(
                400, "DIGEST_INVALID", "the upload's digest is missing, or not one of SHA-256"
            )
        self._require_next(visit, request)
        await self._append(visit, upload_id, request)
        return await self._complete(visit, upload_id, digest)

    async def status(self, visit: Visit, request: Request) -> Response:
        await self._allowed(visit)
        self._received(visit)
        return Response(204, self._progress(visit, visit.asked.reference))

    async def cancel(self, visit: Visit, request: Request) -> Response:
        await self._allowed(visit)
        self._received(visit)
        await self._layers.cancel(visit.asked.reference)
        return Response(204)

    async def _mount(self, visit: Visit, digest: str, source: str | None) -> Response | None:
        """A layer that the caller may read in another repository of this registry. None where it is not there, or may
        not be read: then it is uploaded."""
        if source is None or not is_digest(digest):
            return None
        named = visit.named(source) | {"layerDigest": digest}
        try:
            await self._client("ecr", "GetDownloadUrlForLayer", visit.caller, named)
        except ServiceException:
            return None
        begun = await self._call(visit, "InitiateLayerUpload")
        self._layers.mount(begun["uploadId"], digest)
        return await self._complete(visit, begun["uploadId"], digest)

    async def _append(self, visit: Visit, upload_id: str, request: Request) -> None:
        """In parts, each of them allowed and written before the next is read."""
        async for piece in _pieces(request):
            received = self._layers.received(visit.key, upload_id) or 0
            await self._call(
                visit,
                "UploadLayerPart",
                uploadId=upload_id,
                partFirstByte=received,
                partLastByte=received + len(piece) - 1,
                layerPartBlob=piece,
            )

    async def _complete(self, visit: Visit, upload_id: str, digest: str) -> Response:
        try:
            await self._call(visit, "CompleteLayerUpload", uploadId=upload_id, layerDigests=[digest])
        except ServiceException as error:
            if error.code != "LayerAlreadyExistsException":  # which is as good
                raise
        location = f"/v2/{visit.asked.name}/blobs/{digest}"
        return Response(201, [("Location", location), ("Docker-Content-Digest", digest)])

    def _require_next(self, visit: Visit, request: Request) -> None:
        received = self._received(visit)
        header = request.headers.get("content-range")
        if header is None:
            return
        found = _CONTENT_RANGE.fullmatch(header)
        length = request.headers.get("content-length")
        if (
            found is None
            or int(found[1]) != received
            or (length is not None and int(found[2]) - int(found[1]) + 1 != int(length))
        ):
            progress = tuple(self._progress(visit, visit.asked.reference))
            raise RegistryError(
                416, "BLOB_UPLOAD_INVALID", "the chunk does not follow on what was sent", progress
            )

    def _received(self, visit: Visit) -> int:
        received = self._layers.received(visit.key, visit.asked.reference)
        if received is None:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
        return received

    def _progress(self, visit: Visit, upload_id: str) -> list[tuple[str, str]]:
        received = self._layers.received(visit.key, upload_id) or 0
        return [
            ("Location", f"/v2/{visit.asked.name}/blobs/uploads/{upload_id}"),
            ("Docker-Upload-UUID", upload_id),
            ("Range", f"0-{max(0, received - 1)}"),
        ]

    async def _allowed(self, visit: Visit) -> None:
        """Whoever may push may look after what it pushes."""
        await self._call(visit, "BatchCheckLayerAvailability", layerDigests=["sha256:" + "0" * 64])

    async def _call(self, visit: Visit, operation: str, **members: object) -> Parameters:
        return await self._client("ecr", operation, visit.caller, visit.repository | members)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    if request.stream is None:
        if request.body:
            yield request.body
        return
    held: list[bytes] = []
    size = 0
    async for piece in request.stream:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            whole, held, size = b"".join(held), [], 0
            yield whole
    if held:
        yield b"".join(held)


def _unknown(digest: str) -> RegistryError:
    return RegistryError(404, "BLOB_UNKNOWN", f"the repository does not have {digest}")
