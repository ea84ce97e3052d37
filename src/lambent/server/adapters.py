"""Where a service's port and the part that fulfils it do not quite fit: the translation, and nothing else."""

from collections.abc import Sequence

from lambent.artifacts.errors import ArchiveError as BadArchiveError
from lambent.artifacts.errors import ArtifactError, ArtifactNotFoundError, UnzippedTooLargeError
from lambent.artifacts.store import ArtifactStore
from lambent.environments.blanks import Blanks
from lambent.environments.preparation import Preparation
from lambent.model.credential import Credential
from lambent.model.function import CodeReference, FunctionVersion
from lambent.model.lambda_errors import AccessDeniedException
from lambent.runtimes.registry import RuntimeRegistry
from lambent.services.iam import RoleChecker
from lambent.services.lambda_.ports import Archive, ArchiveError, PreparationError
from lambent.services.sts import SessionTokens

_UNZIP_FAILED = "Could not unzip uploaded file. Please check your file, then try to upload again."


class Packages:
    """services.lambda_.ports.Artifacts, over the artifact store."""

    def __init__(self, artifacts: ArtifactStore) -> None:
        self._artifacts = artifacts

    async def inspect(self, archive: bytes) -> Archive:
        try:
            summary = await self._artifacts.inspect(archive)
        except BadArchiveError as error:
            raise _archive_error(error) from error
        return Archive(summary.code, summary.unzipped_size)

    async def put(self, archive: bytes) -> CodeReference:
        return await self._artifacts.put(archive)

    async def get(self, digest: str) -> bytes | None:
        try:
            return await self._artifacts.get(digest)
        except ArtifactNotFoundError:
            return None

    async def unzipped_size(self, code: CodeReference) -> int:
        return await self._artifacts.tree_size(await self._artifacts.unpack(code.digest))


def _archive_error(error: BadArchiveError) -> ArchiveError:
    if isinstance(error, UnzippedTooLargeError):
        return ArchiveError("Unzipped size must be smaller than 262144000 bytes")
    return ArchiveError(_UNZIP_FAILED)


class Preparer:
    """services.lambda_.ports.Preparer: unpacks, compiles, and has blanks of the runtime made."""

    def __init__(self, preparation: Preparation, runtimes: RuntimeRegistry, blanks: Blanks) -> None:
        self._preparation = preparation
        self._runtimes = runtimes
        self._blanks = blanks

    async def prepare(self, version: FunctionVersion) -> None:
        try:
            install, trees = await self._preparation(version)
        except ArtifactError as error:
            raise PreparationError("InvalidZipFileException", str(error)) from error
        try:
            await self._runtimes.compile(trees.task, install)
        finally:
            trees.release()
        self._blanks.expect(install)


class Runtimes:
    """services.lambda_.ports.Runtimes, over the registry."""

    def __init__(self, registry: RuntimeRegistry) -> None:
        self._registry = registry

    @property
    def architecture(self) -> str:
        return self._registry.architecture

    def names(self) -> Sequence[str]:
        return [install.identifier for install in self._registry.installed()]

    def version(self, runtime: str) -> str:
        install = self._registry.get(runtime)
        return install.version if install is not None else ""


class FunctionCredentials:
    """environments.CredentialIssuer: a session of the function's role, as the service lambda.amazonaws.com assumes it."""

    def __init__(self, roles: RoleChecker, sessions: SessionTokens, duration_seconds: int) -> None:
        self._roles = roles
        self._sessions = sessions
        self._duration_seconds = duration_seconds

    async def issue(self, role_arn: str, session_name: str) -> Credential:
        role = await self._roles.find(role_arn)
        if role is None or not await self._roles.assumable(role_arn, "lambda.amazonaws.com"):
            raise AccessDeniedException("The role defined for the function cannot be assumed by Lambda.")
        return self._sessions.issue(role, session_name, self._duration_seconds)
