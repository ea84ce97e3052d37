"""What the lambda service needs of the rest, beside the stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambent.model.function import CodeReference, FunctionId, FunctionVersion
from lambent.model.invocation import InvocationResult


class Invoker(Protocol):
    """The data plane. Raises Lambda's errors (lambent.model.lambda_errors)."""

    async def invoke(
        self,
        function: FunctionId,
        qualifier: str | None,
        invoked_arn: str,
        *,
        request_id: str,
        payload: bytes,
        client_context: str | None,
        identity: Mapping[str, Any] | None,
        trace_id: str | None,
        tail_log: bool,
    ) -> InvocationResult: ...

    async def enqueue(
        self,
        function: FunctionId,
        qualifier: str | None,
        invoked_arn: str,
        *,
        request_id: str,
        payload: bytes,
        client_context: str | None,
        identity: Mapping[str, Any] | None,
        trace_id: str | None,
    ) -> None:
        """Durable when it returns."""
        ...

    async def check(self, function: FunctionId, qualifier: str | None) -> None:
        """Raises as `invoke` would before it runs anything."""
        ...


class RoleChecker(Protocol):
    async def assumable(self, role_arn: str, service_principal: str) -> bool:
        """Whether the role exists and its trust policy lets the service assume it."""
        ...


class Runtimes(Protocol):
    """What this host can run."""

    @property
    def architecture(self) -> str:
        """AWS's name of the host's: "x86_64" or "arm64"."""
        ...

    def names(self) -> Sequence[str]:
        """The runtime identifiers that can be run here, in the order to show them."""
        ...

    def version(self, runtime: str) -> str:
        """What exactly runs under this identifier, such as "Python 3.13.1": changes when the interpreter does."""
        ...


class ArchiveError(Exception):
    """A zip file that cannot be used. The message is for the caller."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file that can be used; `unzipped_size` in bytes."""

    code: CodeReference
    unzipped_size: int


class Artifacts(Protocol):
    """Content-addressed zip files. None of these methods blocks the event loop."""

    async def inspect(self, archive: bytes) -> Archive:
        """Keeps nothing. Raises ArchiveError."""
        ...

    async def put(self, archive: bytes) -> CodeReference:
        """Keeps it; durable when it returns. Raises ArchiveError."""
        ...

    async def get(self, digest: str) -> bytes | None:
        """The zip file, or None where it is gone."""
        ...

    async def unzipped_size(self, code: CodeReference) -> int: ...


class PreparationError(Exception):
    """A version cannot be made ready to run. `reason_code` is one of AWS's StateReasonCodes."""

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code


class Preparer(Protocol):
    async def prepare(self, version: FunctionVersion) -> None:
        """Unpacks the version's code and layers and compiles what its runtime can compile, so that no invocation has
        to. Repeating it costs nothing. Raises PreparationError."""
        ...
