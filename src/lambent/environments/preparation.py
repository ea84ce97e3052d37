"""What a function version needs before it has an environment: a runtime on this host, and its code unpacked."""

import asyncio
from contextlib import ExitStack

from lambent.artifacts.store import ArtifactStore
from lambent.environments.occupancy import Trees
from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import InvalidRuntimeException
from lambent.runtimes.identifiers import runtime_version_arn
from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.registry import RuntimeRegistry


class Preparation:
    """Called by pools before every new environment: after the first time for the same code, nothing is left to do."""

    def __init__(self, artifacts: ArtifactStore, runtimes: RuntimeRegistry) -> None:
        self._artifacts = artifacts
        self._runtimes = runtimes
        self._installs: dict[str, RuntimeInstall] = {}

    async def __call__(self, version: FunctionVersion) -> tuple[RuntimeInstall, Trees]:
        """The trees are held until they are released. Raises ArtifactError; InvalidRuntimeException where the
        runtime is gone from this host."""
        install = await self._install(version.runtime or "")
        _require_pinned(version, install)
        with ExitStack() as holds:
            task = await self._artifacts.unpack(version.code.digest)
            holds.callback(self._artifacts.hold(task).release)
            layers = None
            if version.layers:
                layers = await self._artifacts.merge([layer.code.digest for layer in version.layers])
                holds.callback(self._artifacts.hold(layers).release)
            return install, Trees(task=task, layers=layers, release=holds.pop_all().close)

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
