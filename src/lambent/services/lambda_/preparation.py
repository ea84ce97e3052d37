"""Making a version ready to run before anybody waits for it: its trees unpacked, its code compiled."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from lambent.artifacts.errors import ArchiveError, ArtifactNotFoundError, ArtifactStoreFullError
from lambent.artifacts.images.errors import InvalidImageError
from lambent.model.function import FunctionVersion, takes_snapshots
from lambent.services.lambda_.function_images import ImageForbiddenError, ImageMissingError, ImageSourceError
from lambent.services.lambda_.ports import Artifacts, Compiler, Images, Runtimes

log = logging.getLogger(__name__)


class PreparationError(Exception):
    """A version cannot be made ready to run. `reason_code` is one of AWS's StateReasonCodes."""

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code


TakeSnapshot = Callable[[FunctionVersion], Awaitable[None]]
"""Initializes the version, and keeps a snapshot of that. Raises PreparationError."""


class Preparation:
    """Repeating it costs little, so it is simply done again after a crash."""

    def __init__(
        self,
        artifacts: Artifacts,
        images: Images,
        compiler: Compiler,
        runtimes: Runtimes,
        take_snapshot: TakeSnapshot,
    ) -> None:
        self._take_snapshot = take_snapshot
        self._artifacts = artifacts
        self._images = images
        self._compiler = compiler
        self._runtimes = runtimes

    async def prepare(self, version: FunctionVersion) -> None:
        """Raises PreparationError."""
        if version.image is not None:
            await self._pull(version)
            return
        runtime = version.runtime
        if runtime is None or runtime not in self._runtimes.names():
            raise PreparationError("InvalidRuntime", f"The runtime {runtime} is not available on this host.")
        code = await self._tree([version.code.digest])
        layers = await self._tree([layer.code.digest for layer in version.layers]) if version.layers else None
        await self._compiler.expect(version, [code] if layers is None else [code, layers])
        await self._compiler.compile(runtime, code, "/var/task")
        if layers is not None:
            await self._compiler.compile(runtime, layers, "/opt")
        if version.snap_start and version.published and takes_snapshots(runtime):
            await self._take_snapshot(version)

    async def _pull(self, version: FunctionVersion) -> None:
        try:
            await self._images.unpacked(version)
        except InvalidImageError as error:
            raise PreparationError("InvalidImage", f"The image cannot be used: {error}") from error
        except ImageForbiddenError as error:
            raise PreparationError(
                "ImageAccessDenied", "The function does not have permission to access the specified image."
            ) from error
        except ImageMissingError as error:
            raise PreparationError(
                "ImageDeleted", "The function is trying to use a deleted image."
            ) from error
        except ArtifactStoreFullError as error:
            log.error("%s", error)
            raise PreparationError("InternalError", "The disk of this host is full.") from error
        except ImageSourceError as error:
            log.warning("the image of %s: %s", version.arn(), error)
            raise PreparationError(
                "InternalError", "The image could not be fetched by this host. The server's log says why."
            ) from error

    async def _tree(self, digests: Sequence[str]) -> Path:
        try:
            if len(digests) == 1:
                return await self._artifacts.unpack(digests[0])
            return await self._artifacts.merge(digests)
        except ArchiveError as error:
            raise PreparationError(
                "InvalidZipFileException", f"Lambda could not unzip the file: {error}"
            ) from error
        except ArtifactNotFoundError as error:
            raise PreparationError(
                "InternalError", "The deployment package is missing on this host."
            ) from error
        except ArtifactStoreFullError as error:
            log.error("%s", error)
            raise PreparationError("InternalError", "The disk of this host is full.") from error
