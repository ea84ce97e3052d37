"""What the lambda service needs of the rest, beside the stores."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from lambent.artifacts.archive import ZipSummary
from lambent.model.caller import Caller
from lambent.model.concurrency import ProvisionedConcurrency, ProvisionedStatus
from lambent.model.durable_execution.transition import State
from lambent.model.durable_execution.values import ExecutionKey
from lambent.model.function import CodeReference, FunctionId, FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.policy import Outcome
from lambent.store.ports.durable_executions import Decide

T = TypeVar("T")


class ResponseStream(Protocol):
    """A response while it is produced. `result` is there when `pieces` has ended; without `streamed`, it has the whole
    payload, and there are no pieces."""

    @property
    def executed_version(self) -> str: ...

    @property
    def content_type(self) -> str | None: ...

    @property
    def streamed(self) -> bool: ...

    @property
    def result(self) -> InvocationResult | None: ...

    def pieces(self) -> AsyncIterator[bytes]:
        """Raises what broke the invocation off."""
        ...

    def leave(self) -> None:
        """Nobody reads any more."""
        ...


class Invoker(Protocol):
    """The data plane. Raises Lambda's errors (lambent.model.lambda_errors)."""

    async def invoke(self, invocation: Invocation) -> InvocationResult: ...

    async def stream(self, invocation: Invocation) -> ResponseStream:
        """Returns when the response begins, or has ended unstreamed."""
        ...

    async def enqueue(self, invocation: Invocation) -> str | None:
        """Durable when it returns: the ARN of the durable execution that it has started, if any."""
        ...

    async def check(
        self, function: FunctionId, qualifier: str | None, tenant_id: str | None = None
    ) -> FunctionVersion:
        """What would run. Raises as `invoke` would before it runs anything."""
        ...


class DurableExecutions(Protocol):
    """invoke.durable_executions.DurableExecutions. Each raises NotFoundError, and what it is given raises."""

    async def change(self, key: ExecutionKey, decide: Decide[T]) -> T: ...

    async def view(self, key: ExecutionKey, read: Callable[[State], T]) -> T: ...


class Allotments(Protocol):
    """What the data plane makes of the concurrency that functions were promised."""

    async def refresh(self, function: FunctionId) -> None:
        """Takes up what the stores now say of this function."""
        ...

    async def status(self, config: ProvisionedConcurrency) -> ProvisionedStatus:
        """How far the environments of a configuration are."""
        ...


class RoleChecker(Protocol):
    async def assumable(self, role_arn: str, service_principal: str) -> bool:
        """Whether the role exists and its trust policy lets the service assume it."""
        ...


class CallerPolicies(Protocol):
    """What the caller's own policies say: services.iam.authorizer.Authorizer."""

    async def decide(
        self, caller: Caller, action: str, resource_arn: str, context: Mapping[str, str] | None = None
    ) -> Outcome: ...


class Runtimes(Protocol):
    """What this host can run."""

    @property
    def architecture(self) -> str:
        """AWS's name of the host's: "x86_64" or "arm64"."""
        ...

    def names(self) -> Sequence[str]:
        """The runtime identifiers that can be run here, in the order to show them."""
        ...

    def refusal(self, runtime: str, *, creating: bool) -> str | None:
        """AWS's message where a runtime that it has deprecated is refused here, too: by the settings of this server, or
        because the host does not have it anyway."""
        ...

    def missing(self, runtime: str) -> str:
        """Why a runtime that is not among the `names` is not, and what whoever runs this server can do about it."""
        ...

    def version(self, runtime: str) -> str:
        """What exactly runs under this identifier, such as "Python 3.13.1": changes when the interpreter does."""
        ...


class Artifacts(Protocol):
    """The part of lambent.artifacts.store.ArtifactStore that the control plane uses."""

    async def inspect(self, data: bytes) -> ZipSummary:
        """Keeps nothing. Raises ArchiveError."""
        ...

    async def put(self, data: bytes) -> CodeReference:
        """Durable when it returns. Raises ArtifactStoreFullError."""
        ...

    async def stream(self, digest: str) -> tuple[int, AsyncGenerator[bytes, None]]:
        """The bytes piece by piece, and how many they are. Raises ArtifactNotFoundError."""
        ...

    async def unpack(self, digest: str) -> Path:
        """Raises ArchiveError, ArtifactNotFoundError, ArtifactStoreFullError."""
        ...

    async def merge(self, digests: Sequence[str]) -> Path:
        """Raises as `unpack`."""
        ...


class Images(Protocol):
    @property
    def refusal(self) -> str | None:
        """Why this server runs no functions of images; None where it does."""
        ...

    async def unpacked(self, version: FunctionVersion) -> object:
        """Pulls and unpacks the image of a version that has one; repeating it costs little. Raises InvalidImageError,
        ArtifactStoreFullError, ImageSourceError."""
        ...


class Compiler(Protocol):
    async def compile(self, runtime: str, tree: Path, mounted_at: str) -> None:
        """Compiles in place what this runtime can load compiled, for a tree that functions see at `mounted_at`.

        Repeating it costs little. Code that does not compile is left for the runtime to complain about."""
        ...

    async def expect(self, version: FunctionVersion, trees: Sequence[Path]) -> None:
        """What is compiled is soon run: has made ready for it what can be."""
        ...
