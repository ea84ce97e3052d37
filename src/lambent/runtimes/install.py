"""A runtime that this host can run: what to execute, in which root, with which variables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lambent.sandbox.port import ZYGOTE_DESCRIPTOR, Process, Root

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
CLASS_ARCHIVE_DESCRIPTOR = 5
CUSTOM_ARGV = (
    "/bin/sh",
    "-c",
    "for bootstrap in /var/task/bootstrap /opt/bootstrap; do "
    'if [ -f "$bootstrap" ]; then exec "$bootstrap"; fi; done; '
    'echo "Couldn\'t find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" >&2; exit 127',
)
"""Of a custom runtime. Which of the two it is shows only when code and layers are mounted. A shell is what every
userland has."""
_HEAP_SHARE_PERCENT = 70
"""As java_client has it: the rest is what else a virtual machine needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassArchive:
    """What a launcher loads, kept for the next start of one. It is good only for the paths that it was made with: it is
    made in a sandbox of the root of the runtime: `argv` writes it to descriptor 5. Once it is at `path`, `options` says
    so: a file of options that the launcher is started with, empty until then."""

    argv: tuple[str, ...]
    path: Path
    options: Path
    content: str
    """Of `options`, then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInstall:
    """`kind` is how the server talks to it: "channel" for our own bootstraps (docs/internals/channel.md), "api" for
    whatever speaks the HTTP Runtime API. `interpreter` is a path of the host, `argv` one of the sandbox."""

    identifier: str
    kind: Literal["channel", "api"]
    interpreter: Path | None
    version: str
    """The interpreter's own: "3.11.7". For custom runtimes, which bring theirs, the identifier's suffix or ""; for what
    is taken from an image, that one's name."""
    root: Root
    argv: tuple[str, ...]
    static_variables: Mapping[str, str]
    """What AWS sets for every function of the runtime."""
    exec_time_variables: frozenset[str]
    """A function that sets one of these needs a process started with it: a blank cannot serve it."""
    yielding_options: Mapping[str, str]
    """Options in `argv` that give way to one in NODE_OPTIONS, by the option that they give way to."""
    waiting_argv: tuple[str, ...] = ()
    """For a runtime of the kind "api": our launcher, which comes up without a function, and becomes the runtime when it
    is sent the function's variables (docs/internals/channel.md)."""
    class_archive: ClassArchive | None = None
    memory_mb: int | None = None
    """Of the functions that this is for, where `waiting_argv` depends on it."""
    directory: str = "/var/task"
    """Where the process begins, where it is started with the function's own variables."""
    copyable: bool = False
    """Our bootstrap can wait in it to be copied (docs/internals/cold-start.md)."""
    from_image: bool = False
    """It is a container image's: the function's code is in its root, and nothing is attached."""

    def as_zygote(self, *, with_sdk: bool) -> Process:
        """What waits to be copied, where it is copyable; with the AWS SDK imported."""
        variables = {**self.static_variables, "_LAMBDA_ZYGOTE_FD": str(ZYGOTE_DESCRIPTOR)}
        if with_sdk:
            variables["_LAMBDA_ZYGOTE_SDK"] = "1"
        return Process(argv=self.argv, variables=variables)

    @property
    def waits(self) -> bool:
        """Whether its process can be up before there is a function."""
        return self.kind == "channel" or bool(self.waiting_argv)

    @property
    def stock(self) -> str:
        """What the blanks for it have in common."""
        return self.identifier if self.memory_mb is None else f"{self.identifier} of {self.memory_mb} MB"

    def of_memory(self, memory_mb: int) -> "RuntimeInstall":
        """For functions of that MemorySize: the heap of a virtual machine is set when it starts."""
        if not self.waiting_argv:
            return self
        heap_mb = memory_mb * _HEAP_SHARE_PERCENT // 100
        argv = tuple(argument.replace("{heap_mb}", str(heap_mb)) for argument in self.waiting_argv)
        return replace(self, waiting_argv=argv, memory_mb=memory_mb)

    def command(self, variables: Mapping[str, str]) -> tuple[str, ...]:
        """`argv` for a process that is started with the function's own variables."""
        wanted = variables.get("NODE_OPTIONS", "").split()
        overridden = {self.yielding_options[option] for option in wanted if option in self.yielding_options}
        argv = tuple(argument for argument in self.argv if argument not in overridden)
        wrapper = variables.get(EXEC_WRAPPER)
        return (wrapper, *argv) if wrapper and self.kind == "channel" else argv
