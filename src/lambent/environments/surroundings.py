"""What every environment of a server shares, and what each is given of its function: code."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lambent.base.clock import Clock
from lambent.environments.blanks import Blanks
from lambent.environments.log_delivery import LogDelivery
from lambent.environments.snapshots import Snapshots, Template
from lambent.model.credential import Credential
from lambent.model.function import FunctionVersion
from lambent.sandbox.port import Bind


class CredentialIssuer(Protocol):
    async def issue(self, role_arn: str, session_name: str) -> Credential:
        """Temporary credentials of a function's role. Raises a ServiceException where Lambda may not assume it."""
        ...


Reveal = Callable[[FunctionVersion], Awaitable[FunctionVersion]]
"""The version with its variables in the clear, where they are encrypted. Raises a ServiceException (Lambda's KMS…)."""


MakeTemplate = Callable[[FunctionVersion], Awaitable[Template]]


async def _in_the_clear(version: FunctionVersion) -> FunctionVersion:
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Unpacked code: the function's own (None where it is in a container image), and its layers merged (None where it
    has none)."""

    task: Path | None
    layers: Path | None
    release: Callable[[], None] = lambda: None
    """Says that the environment which mounts them has ended."""
    with_sdk: bool = False
    """Whether it imports the AWS SDK of the runtime, as far as can be seen."""
    image_extensions: Path | None = None
    """Where an image has what is /opt/extensions inside."""

    def binds(self) -> list[Bind]:
        """What is attached: nothing of a container image, whose files its root shows."""
        if self.task is None:
            return []
        binds = [Bind(self.task, "/var/task")]
        if self.layers is not None:
            binds.append(Bind(self.layers, "/opt"))
        return binds

    def extensions(self) -> list[str]:
        """Names of the executables in /opt/extensions."""
        directory = self.image_extensions if self.layers is None else self.layers / "extensions"
        if directory is None:
            return []
        try:
            found = sorted(directory.iterdir())
        except OSError:
            return []
        return [path.name for path in found if path.is_file()]

    @property
    def has_bootstrap(self) -> bool:
        """Whether there is what a custom runtime executes."""
        trees = [tree for tree in (self.task, self.layers) if tree is not None]
        return any((tree / "bootstrap").is_file() for tree in trees)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every environment of this server shares."""

    blanks: Blanks
    credentials: CredentialIssuer
    logs: LogDelivery
    clock: Clock
    init_timeout_seconds: float
    reveal: Reveal = _in_the_clear
    snapshots: Snapshots | None = None
    make_template: MakeTemplate | None = None
    """Initializes an environment that others of its version are copies of."""
