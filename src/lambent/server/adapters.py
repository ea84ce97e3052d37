"""Where a service's port and the part that fulfils it do not quite fit: the translation, and nothing else."""

import asyncio
import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lambent.api.caller import caller_of
from lambent.api.chain import Authenticator
from lambent.api.dev_credentials import DevCredentials
from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.environments.blanks import Blanks
from lambent.environments.class_archive import make_class_archive
from lambent.environments.snapshots import Make, SnapshotError, Snapshots
from lambent.environments.zygotes import lineage_of
from lambent.http.message import Request
from lambent.model.caller import Caller, RoleCallers
from lambent.model.credential import Credential, CredentialSource
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.function import FunctionVersion
from lambent.model.policy import denial_message
from lambent.model.service import Client
from lambent.model.variables_encryption import decryption_of, decryption_refused
from lambent.runtimes import deprecation
from lambent.runtimes.compile import compile_python
from lambent.runtimes.registry import RuntimeRegistry
from lambent.runtimes.sdk_use import uses_sdk
from lambent.sandbox.port import SandboxBackend, SandboxError
from lambent.services.iam import Authorizer, RoleChecker
from lambent.services.lambda_.preparation import PreparationError
from lambent.services.sts import SessionTokens
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.verify import Verifier


class Compiler:
    """services.lambda_.ports.Compiler. What is ready to run is soon run, so it has blanks of the runtime made, too."""

    def __init__(
        self, registry: RuntimeRegistry, blanks: Blanks, backend: SandboxBackend, tasks: Tasks
    ) -> None:
        self._registry = registry
        self._backend = backend
        self._blanks = blanks
        self._tasks = tasks
        self._shipped: set[str] = set()

    async def compile(self, runtime: str, tree: Path, mounted_at: str) -> None:
        install = await asyncio.to_thread(self._registry.get, runtime)
        if install is not None:
            await asyncio.to_thread(compile_python, tree, install)
        if runtime not in self._shipped:
            self._shipped.add(runtime)
            compile_sdk = asyncio.to_thread(self._registry.compile_shipped, runtime)
            self._tasks.start(compile_sdk, f"compile the AWS SDK for {runtime}")
            if install is not None and install.class_archive is not None:
                archive = make_class_archive(self._backend, install)
                self._tasks.start(archive, f"archive the classes of {runtime}")

    async def expect(self, version: FunctionVersion, trees: Sequence[Path]) -> None:
        install = await asyncio.to_thread(self._registry.get, version.runtime or "")
        if install is not None:
            with_sdk = install.copyable and await asyncio.to_thread(uses_sdk, trees)
            self._blanks.expect(
                install.of_memory(version.memory_size), lineage_of(version, with_sdk=with_sdk)
            )


class SnapshotTaker:
    """services.lambda_.preparation.TakeSnapshot."""

    def __init__(self, snapshots: Snapshots, make: Make) -> None:
        self._snapshots = snapshots
        self._make = make

    async def __call__(self, version: FunctionVersion) -> None:
        try:
            await self._snapshots.take(version, self._make)
        except SnapshotError as error:
            raise PreparationError(error.reason_code, str(error)) from error
        except SandboxError as error:
            raise PreparationError(
                "InternalError", f"No snapshot could be taken on this host: {error}"
            ) from error


class Runtimes:
    """services.lambda_.ports.Runtimes, over the registry."""

    def __init__(self, registry: RuntimeRegistry, clock: Clock, *, refuse_deprecated: bool) -> None:
        self._registry = registry
        self._clock = clock
        self._refuse_deprecated = refuse_deprecated

    @property
    def architecture(self) -> str:
        return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"

    def names(self) -> Sequence[str]:
        return self._registry.installed_identifiers()

    def refusal(self, runtime: str, *, creating: bool) -> str | None:
        if not self._refuse_deprecated and runtime in self.names():
            return None
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        return deprecation.refusal(runtime, today, creating=creating)

    def missing(self, runtime: str) -> str:
        """Nothing that names files of the host, nor what its operator's images are called."""
        if runtime in self._registry.images.sources:
            return "its image could not be fetched, which the server's log says more of"
        found = self._registry.unavailable(runtime)
        if found is None:
            return "it was not there a moment ago"
        ways = [way for way in (found.command, found.flag and f"lambent start {found.flag}") if way]
        return f"{found.reason}; what adds it is {', or '.join(ways)}" if ways else found.reason

    def version(self, runtime: str) -> str:
        install = self._registry.get(runtime)
        return install.version if install is not None else ""


class FunctionUrlCallers:
    """services.lambda_.function_urls.door.Authenticate: the signature of a request to a function URL."""

    def __init__(self, credentials: CredentialSource, clock: Clock) -> None:
        self._authenticator: Authenticator = (
            credentials if isinstance(credentials, DevCredentials) else Verifier(credentials, clock)
        )

    async def __call__(self, request: Request, request_id: str) -> Caller:
        try:
            verified = await self._authenticator.verify(request)
            if verified.service != "lambda":
                raise SignatureError(
                    Fault.SCOPE, "Credential should be scoped to correct service: 'lambda'. "
                )
            return caller_of(verified, request, request_id)
        except SignatureError as error:
            raise error.for_family("rest-json") from None


class FunctionCredentials:
    """environments.CredentialIssuer: a session of the function's role, assumed as lambda.amazonaws.com."""

    def __init__(self, roles: RoleChecker, sessions: SessionTokens, duration_seconds: int) -> None:
        self._roles = roles
        self._sessions = sessions
        self._duration_seconds = duration_seconds

    async def issue(self, role_arn: str, session_name: str) -> Credential:
        role = await self._roles.find_assumable(role_arn, "lambda.amazonaws.com")
        if role is None:
            raise AccessDeniedException("The role defined for the function cannot be assumed by Lambda.")
        partition = Arn.parse(role_arn).partition
        return self._sessions.issue(role, session_name, self._duration_seconds, partition=partition)


class RoleSessions:
    """model.caller.RoleCallers."""

    def __init__(self, roles: RoleChecker) -> None:
        self._roles = roles

    async def assume(
        self, role_arn: str, service: str, *, region: str, session_name: str, source_arn: str | None = None
    ) -> Caller:
        role = await self._roles.find_assumable(role_arn, service, source_arn=source_arn)
        if role is None:
            raise AccessDeniedException(f"{service} may not assume the role {role_arn}.")
        partition = Arn.parse(role_arn).partition
        return Caller(
            account_id=role.account_id,
            region=region,
            partition=partition,
            principal_arn=f"arn:{partition}:sts::{role.account_id}:assumed-role/{role.name}/{session_name}",
            user_id=f"{role.id}:{session_name}",
            access_key_id="",
            role_arn=role_arn,
            user_agent=service,
        )


class PassedRoles:
    """model.caller.PassRole, over what the caller's own policies say."""

    def __init__(self, policies: Authorizer) -> None:
        self._policies = policies

    async def __call__(self, caller: Caller, role_arn: str, service: str) -> None:
        try:
            account_id = Arn.parse(role_arn).account_id
        except ValueError:
            raise AccessDeniedException(f"{role_arn} is not the ARN of a role.") from None
        if account_id != caller.account_id:
            raise AccessDeniedException("Cross-account pass role is not allowed.")
        outcome = await self._policies.decide(
            caller, "iam:PassRole", role_arn, {"iam:PassedToService": service}
        )
        if not outcome.allowed:
            raise AccessDeniedException(
                denial_message(caller.principal_arn, "iam:PassRole", role_arn, outcome)
            )


class EncryptedVariables:
    """environments.occupancy.Reveal: decrypts a function's variables as its role, which was given a grant for it."""

    def __init__(self, client: Client, roles: RoleCallers) -> None:
        self._client = client
        self._roles = roles

    async def __call__(self, version: FunctionVersion) -> FunctionVersion:
        if version.encrypted_variables is None:
            return version
        function = version.function
        try:
            caller = await self._roles.assume(
                version.role, "lambda.amazonaws.com", region=function.region, session_name=function.name
            )
            decrypted = await self._client("kms", "Decrypt", caller, decryption_of(version))
        except ServiceException as error:
            raise decryption_refused(error) from error
        variables = msgspec.json.decode(decrypted["Plaintext"], type=dict[str, str])
        return replace(version, variables=variables, encrypted_variables=None)
