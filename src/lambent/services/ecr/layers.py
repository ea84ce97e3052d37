"""Layers: their uploads in parts, whether a repository has them, and where they are downloaded.

Uploads are kept in memory: who pushes while the server ends begins the layer again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.image import is_digest
from lambent.model.repository import RegistryLayer, Repository
from lambent.model.service import Operation
from lambent.services.ecr.downloads import LayerDownloads
from lambent.services.ecr.errors import (
    EmptyUploadException,
    InvalidLayerException,
    InvalidLayerPartException,
    LayerAlreadyExistsException,
    LayerNotFoundException,
    ServerException,
    UploadNotFoundException,
)
from lambent.services.ecr.registry import Registry, inside, put
from lambent.store.ports.errors import ContentMissingError, ContentStoreFullError
from lambent.store.ports.layer_contents import LayerContents

_PART_BYTES = 10_485_760
_MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_IDLE_SECONDS = 86_400.0


@dataclass(slots=True, kw_only=True)
class _Upload:
    """`size` is what has been received. With `mounted`, the layer is here already, by way of another repository."""

    account_id: str
    region: str
    repository: str
    size: int = 0
    mounted: str | None = None
    used_at: float


class Layers:
    def __init__(
        self, registry: Registry, contents: LayerContents, downloads: LayerDownloads, clock: Clock
    ) -> None:
        self._registry = registry
        self._contents = contents
        self._downloads = downloads
        self._clock = clock
        self._uploads: dict[str, _Upload] = {}

    def operations(self) -> Mapping[str, Operation]:
        return {
            "InitiateLayerUpload": self.initiate,
            "UploadLayerPart": self.upload_part,
            "CompleteLayerUpload": self.complete,
            "BatchCheckLayerAvailability": self.check,
            "GetDownloadUrlForLayer": self.download_url,
        }

    async def initiate(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        await self._drop_idle()
        upload_id = new_uuid()
        await self._contents.begin(upload_id)
        self._uploads[upload_id] = _Upload(
            account_id=repository.account_id,
            region=repository.region,
            repository=repository.name,
            used_at=self._clock.now(),
        )
        return {"uploadId": upload_id, "partSize": _PART_BYTES}

    async def upload_part(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        upload_id, data = parameters["uploadId"], bytes(parameters["layerPartBlob"])
        upload = self._upload(repository, upload_id)
        first, last = parameters["partFirstByte"], parameters["partLastByte"]
        if first != upload.size or last - first + 1 != len(data):
            raise InvalidLayerPartException(
                "The layer part size is not valid, or the first byte specified is not consecutive to the last byte of "
                "a previous layer part upload.",
                members={
                    "registryId": repository.account_id,
                    "repositoryName": repository.name,
                    "uploadId": upload_id,
                    "lastValidByteReceived": upload.size - 1,
                },
            )
        upload.size += len(data)  # before it is written: another one at the same time is not consecutive
        upload.used_at = self._clock.now()
        try:
            await self._contents.append(upload_id, data)
        except ContentMissingError as error:
            raise _no_upload(repository, upload_id) from error
        except ContentStoreFullError as error:
            await self._drop(upload_id)
            raise ServerException("The disk of this host is full.") from error
        except BaseException:
            await self._drop(upload_id)  # nobody knows how much of it is there
            raise
        return {
            "registryId": repository.account_id,
            "repositoryName": repository.name,
            "uploadId": upload_id,
            "lastByteReceived": last,
        }

    async def complete(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        upload_id, digests = parameters["uploadId"], parameters["layerDigests"]
        upload = self._upload(repository, upload_id)
        digest = next((digest for digest in digests if is_digest(digest)), None)
        if digest is None:
            raise InvalidLayerException("The layer digests are not digests of SHA-256.")
        if upload.mounted is None:
            await self._finish(repository, upload_id, upload, digest)
        elif upload.mounted != digest:
            raise InvalidLayerException("The layer digest does not match the digest specified.")
        size = await self._contents.size(digest)
        if size is None:
            raise _no_upload(repository, upload_id)
        await self._drop(upload_id)
        async with self._registry.lock(repository):
            await self._registry.again(repository)
            known = await self._registry.layer(repository, digest)
            layer = RegistryLayer(digest=digest, size=size, completed_at=self._clock.now())
            await put(self._registry.stores.layers, inside(repository, digest), layer)
        if known is not None:
            raise LayerAlreadyExistsException(
                f"Layer with digest '{digest}' already exists in the repository with name '{repository.name}' in the "
                f"registry with id '{repository.account_id}'"
            )
        return {
            "registryId": repository.account_id,
            "repositoryName": repository.name,
            "uploadId": upload_id,
            "layerDigest": digest,
        }

    async def check(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        layers, failures = [], []
        for digest in parameters["layerDigests"]:
            if not is_digest(digest):
                failures.append(
                    {
                        "layerDigest": digest,
                        "failureCode": "InvalidLayerDigest",
                        "failureReason": "Invalid layer digest",
                    }
                )
                continue
            layer = await self._registry.layer(repository, digest)
            if layer is None or await self._contents.size(digest) is None:
                layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
                continue
            layers.append(
                {
                    "layerDigest": digest,
                    "layerAvailability": "AVAILABLE",
                    "layerSize": layer.size,
                    "mediaType": _MEDIA_TYPE,
                }
            )
        return {"layers": layers, "failures": failures}

    async def download_url(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        digest = parameters["layerDigest"]
        if not is_digest(digest) or await self._registry.layer(repository, digest) is None:
            raise LayerNotFoundException(digest, repository.name, repository.account_id)
        return {"downloadUrl": self._downloads.url(caller, digest), "layerDigest": digest}

    def received(self, repository: tuple[str, str, str], upload_id: str) -> int | None:
        """How many bytes of an upload are here; None where there is no such upload. `repository` is its account, region
        and name."""
        upload = self._uploads.get(upload_id)
        if upload is None or (upload.account_id, upload.region, upload.repository) != repository:
            return None
        return upload.size

    def mount(self, upload_id: str, digest: str) -> None:
        """The upload is of a layer that its caller may read in another repository: nothing needs to be sent."""
        self._uploads[upload_id].mounted = digest

    async def cancel(self, upload_id: str) -> None:
        await self._drop(upload_id)

    async def _finish(self, repository: Repository, upload_id: str, upload: _Upload, digest: str) -> None:
        if not upload.size:
            # An empty layer is none; AWS says so of an upload without parts.
            raise EmptyUploadException("The specified layer upload does not contain any layer parts.")
        try:
            verified = await self._contents.finish(upload_id, digest)
        except ContentMissingError as error:
            raise _no_upload(repository, upload_id) from error
        if not verified:
            raise InvalidLayerException(
                "The layer digest calculation performed by Amazon ECR upon receipt of the image layer does not match "
                "the digest specified."
            )

    def _upload(self, repository: Repository, upload_id: str) -> _Upload:
        upload = self._uploads.get(upload_id)
        owner = (repository.account_id, repository.region, repository.name)
        if upload is None or (upload.account_id, upload.region, upload.repository) != owner:
            raise _no_upload(repository, upload_id)
        return upload

    async def _drop(self, upload_id: str) -> None:
        self._uploads.pop(upload_id, None)
        await self._contents.discard(upload_id)

    async def _drop_idle(self) -> None:
        since = self._clock.now() - _IDLE_SECONDS
        for upload_id in [id for id, upload in self._uploads.items() if upload.used_at < since]:
            await self._drop(upload_id)


def _no_upload(repository: Repository, upload_id: str) -> UploadNotFoundException:
    return UploadNotFoundException(upload_id, repository.name, repository.account_id)
