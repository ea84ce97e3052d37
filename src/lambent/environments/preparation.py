"""What a function version needs before it has an environment: a runtime on this host, and its code unpacked."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from lambent.artifacts.images.paths import resolve
from lambent.artifacts.images.store import UnpackedImage
from lambent.artifacts.store import ArtifactStore
from lambent.environments.surroundings import Trees
from lambent.model.function import FunctionVersion
from lambent.model.image import ImageOverrides
from lambent.model.lambda_errors import InvalidRuntimeException
from lambent.runtimes.identifiers import runtime_version_arn
from lambent.runtimes.images import image_install
from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.registry import RuntimeRegistry
from lambent.runtimes.sdk_use import uses_sdk

_IMAGES_KNOWN_MOST = 1000
_TREES_KNOWN_MOST = 10_000


class Images(Protocol):
    async def unpacked(self, version: FunctionVersion) -> UnpackedImage:
        """The image of a version that has one. Raises ArtifactError."""
        ...

    def hold(self, image: UnpackedImage) -> Callable[[], None]:
        """Keeps it from being removed, until what is returned is called. Raises ArtifactNotFoundError."""
        ...


class Preparation:
    """Called by pools before every new environment: after the first time for the same code, nothing is left to do."""

    def __init__(self, artifacts: ArtifactStore, images: Images, runtimes: RuntimeRegistry) -> None:
        self._artifacts = artifacts
        self._images = images
        self._runtimes = runtimes
        self._installs: dict[str, RuntimeInstall] = {}
        self._with_sdk: dict[tuple[Path, ...], bool] = {}
        self._image_installs: dict[tuple[Path, ImageOverrides], tuple[RuntimeInstall, Path | None]] = {}

    async def __call__(self, version: FunctionVersion) -> tuple[RuntimeInstall, Trees]:
        """The trees are held until they are released. Raises ArtifactError; InvalidRuntimeException where the
        runtime is gone from this host."""
        if version.image is not None:
            return await self._of_image(version, version.image.overrides)
        install = await self._install(version.runtime or "")
        _require_pinned(version, install)
        with ExitStack() as holds:
            task = await self._artifacts.unpack(version.code.digest)
            holds.callback(self._artifacts.hold(task).release)
            layers = None
            if version.layers:
                layers = await self._artifacts.merge([layer.code.digest for layer in version.layers])
                holds.callback(self._artifacts.hold(layers).release)
            install = install.of_memory(version.memory_size)
            with_sdk = install.copyable and await self._uses_sdk(task, layers)
            return install, Trees(task=task, layers=layers, with_sdk=with_sdk, release=holds.pop_all().close)

    async def _uses_sdk(self, task: Path, layers: Path | None) -> bool:
        trees = (task,) if layers is None else (task, layers)
        known = self._with_sdk.get(trees)
        if known is None:
            known = await asyncio.to_thread(uses_sdk, trees)
            if len(self._with_sdk) >= _TREES_KNOWN_MOST:
                self._with_sdk.clear()
            self._with_sdk[trees] = known
        return known

    async def _of_image(
        self, version: FunctionVersion, overrides: ImageOverrides
    ) -> tuple[RuntimeInstall, Trees]:
        """Raises ArtifactError, where it is not here any more and cannot be pulled."""
        image = await self._images.unpacked(version)
        release = self._images.hold(image)
        known = self._image_installs.get((image.rootfs, overrides))
        if known is None:
            known = await asyncio.to_thread(_look_at, image, overrides)
            if len(self._image_installs) >= _IMAGES_KNOWN_MOST:
                self._image_installs.clear()
            self._image_installs[image.rootfs, overrides] = known
        install, extensions = known
        return install, Trees(task=None, layers=None, release=release, image_extensions=extensions)

    async def _install(self, runtime: str) -> RuntimeInstall:
        install = self._installs.get(runtime)
        if install is None:
            install = await asyncio.to_thread(self._runtimes.get, runtime)
            if install is None:
                raise InvalidRuntimeException(
                    f"The runtime {runtime} is not available on this host any more: see `lambent runtimes`."
                )
            self._installs[runtime] = install
        return install


def _require_pinned(version: FunctionVersion, install: RuntimeInstall) -> None:
    """Raises InvalidRuntimeException where the function wants the very runtime version that it was pinned to, and the
    host's has been replaced."""
    if version.update_runtime_on == "Auto":
        return
    here = runtime_version_arn(version.function.region, install.identifier, install.version)
    if version.runtime_version_arn != here:
        raise InvalidRuntimeException(
            f"The function is pinned to the runtime version {version.runtime_version_arn}, which is not on this host "
            f"any more. PutRuntimeManagementConfig can give it {here}."
        )


def _look_at(image: UnpackedImage, overrides: ImageOverrides) -> tuple[RuntimeInstall, Path | None]:
    return image_install(image, overrides), resolve(image.rootfs, "opt/extensions")
