"""How functions' images come here: from ECR by its files, as the Lambda service may read them, or from elsewhere."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from lambent.artifacts.images.store import ImageStore, PulledImage, UnpackedImage
from lambent.model.error import ServiceException
from lambent.model.function import FunctionVersion
from lambent.model.image import parse_manifest
from lambent.model.service import Client
from lambent.server.image_sources import SkopeoSources
from lambent.services.lambda_.function_images import (
    ImageForbiddenError,
    ImageMissingError,
    ImageSourceError,
    lambda_service,
)
from lambent.store.layer_files import LayerFiles

log = logging.getLogger(__name__)


class PulledImages:
    """environments.preparation.Images and services.lambda_.ports.Images. `refusal` is why there can be none here."""

    def __init__(
        self,
        store: ImageStore,
        client: Client,
        layers: LayerFiles,
        sources: SkopeoSources,
        refusal: str | None,
    ) -> None:
        self.refusal = refusal
        self._store = store
        self._client = client
        self._layers = layers
        self._sources = sources

    async def unpacked(self, version: FunctionVersion) -> UnpackedImage:
        """Raises ArtifactError, ImageSourceError."""
        if self.refusal is not None:
            raise ImageSourceError(self.refusal)
        return await self._store.unpack(version.code.digest, lambda: self._pull(version))

    def hold(self, image: UnpackedImage) -> Callable[[], None]:
        return self._store.hold(image).release

    def _pull(self, version: FunctionVersion) -> AbstractAsyncContextManager[PulledImage]:
        assert version.image is not None
        if version.image.repository is None:
            return self._sources.pull(version.image.uri, version.image.resolved_uri)
        return self._of_ecr(version, version.image.repository)

    @asynccontextmanager
    async def _of_ecr(self, version: FunctionVersion, repository: str) -> AsyncIterator[PulledImage]:
        account_id, _, rest = repository.partition("/")
        named = {"registryId": account_id, "repositoryName": rest.partition("/")[2]}
        caller = lambda_service(version.function)
        wanted = named | {"imageIds": [{"imageDigest": f"sha256:{version.code.digest}"}]}
        try:
            answer = await self._client("ecr", "BatchGetImage", caller, wanted)
            if not answer["images"]:
                raise ImageMissingError("The function is trying to use a deleted image.")
            manifest = answer["images"][0]["imageManifest"].encode()
            for layer in parse_manifest(manifest).layers:
                asked = named | {"layerDigest": layer.digest}
                await self._client("ecr", "GetDownloadUrlForLayer", caller, asked)
        except ServiceException as error:
            if error.code in ("RepositoryNotFoundException", "LayersNotFoundException"):
                raise ImageMissingError("The function is trying to use a deleted image.") from error
            log.warning("%s: %s", version.arn(), error)
            raise ImageForbiddenError(
                "The function does not have permission to access the specified image."
            ) from error
        yield PulledImage(manifest=manifest, blob=self._layers.path)
