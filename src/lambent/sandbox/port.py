"""The port that every isolation backend implements, and the values that go through it.

The life of a sandbox, whatever the backend:

    create ──► (start) ──► attach* ──► seal ──► freeze ⇄ thaw ──► destroy
       └ a "blank": isolated, nobody's; its process may already run and wait

Until `seal` the sandbox holds no user code and its supervisor keeps the privileges that attaching needs; `seal` drops
them for good. So privilege and user code never live in a sandbox at the same time. A sandbox is used once.
"""

import socket
from asyncio import Future
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lambent.sandbox.guarantees import Guarantees

FORK_DESCRIPTOR = 5
"""Of a process that can be copied: its end of the line by which it is asked to."""


class SandboxError(Exception):
    """A sandbox could not be made or changed. The message names the step and the kernel's answer."""


class StartError(SandboxError):
    """The process could not be executed: not found, not executable, no such directory. `errno` is the kernel's."""

    def __init__(self, message: str, errno: int) -> None:
        super().__init__(message)
        self.errno = errno


@dataclass(frozen=True, slots=True)
class Bind:
    """A host file or directory shown read-only (nosuid, nodev) at `target`, an absolute path inside."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """What the read-only root of a sandbox shows. The same Root is prepared once and used by many sandboxes.

    Beside this every sandbox has a private /tmp, /proc of its own pids, a minimal /dev, and the empty directories
    `mount_points`, over which code is attached later."""

    binds: tuple[Bind, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links by path: {"/bin": "usr/bin"}."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Small text files by path. In /etc/passwd, `{uid}` stands for the uid that a sandbox's processes have."""
    mount_points: tuple[str, ...] = ("/var/task", "/opt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`argv[0]` is an absolute path inside. `files` maps descriptor numbers inside (0, 1, 2, …) to descriptors of the
    caller, which stay open here; of 0, 1 and 2, those not given are /dev/null. `variables` is the whole environment."""

    argv: tuple[str, ...]
    variables: Mapping[str, str]
    directory: str = "/"
    files: Mapping[int, int] = field(default_factory=dict)


ZYGOTE_DESCRIPTOR = 3
"""Of a zygote: its end of the line by which it is asked for copies."""


class Zygote(Protocol):
    """A process that waits, outside of any sandbox and with every privilege, to be copied into some. It runs what it
    was executed with, and nothing of a function ever. Copies have in common the layout of its memory, the seed of its
    hashes, and what it remembered when it was ready."""

    @property
    def ended(self) -> "Future[None]":
        """Done when it makes no more copies, whatever the reason."""
        ...

    async def close(self) -> None:
        """Ends it. Copies that were made go on; those being made fail. Idempotent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    root: Root
    hostname: str = "localhost"
    tmp_mib: int = 512
    listen: tuple[tuple[str, int], ...] = ()
    """TCP addresses bound inside the sandbox's own network, whose listening sockets come out as `Sandbox.listeners`."""
    processes_max: int = 1024
    descriptors_max: int = 1024
    zygote: Zygote | None = None
    """Of which the sandbox's process is a copy, instead of one that is executed: it goes on with the files of the
    Process that `create` or `start` is given, and nothing else of that is looked at. Made by the same backend, with
    the same root."""
    forks: bool = False
    """The process can be copied (`Sandbox.fork`): it may enter namespaces of its own making, which no other may, and
    has its end of the line for that as `FORK_DESCRIPTOR`."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How the sandbox's process ended: `code` 0-255, or `signal`; both None where only its end is known (the supervisor
    was killed). `out_of_memory` where the kernel killed in this sandbox for its memory limit."""

    code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What a backend guarantees here, for `lambent doctor`. Complete once the backend is open."""

    backend: str
    guarantees: Guarantees
    missing: tuple[str, ...]
    """What the strongest form has and this one lacks, each with the command or setting that mends it."""
    cgroup: str
    """"v2", "v1", "hybrid" or "none"."""


class Sandbox(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def listeners(self) -> Sequence[socket.socket]:
        """Listening sockets for the spec's `listen`, in order, non-blocking. The caller closes them."""
        ...

    @property
    def exited(self) -> "Future[Exit]":
        """Done when the sandbox's process has ended. Everything else inside is dead by then, too, but for what was
        started beside it, once the sandbox is sealed: that lives until `destroy`, ten seconds at most."""
        ...

    def translate(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables that a process must be given for paths and addresses inside to lead where the spec and `attach`
        have put them. The same ones where there are a file system and a network inside."""
        ...

    async def start(self, process: Process, beside: Sequence[Process] = ()) -> None:
        """Runs the one process of this sandbox, before or after `attach` and `seal`, and before it those `beside` it,
        whose ends are nobody's business but of whoever holds the other end of a pipe of theirs. Raises SandboxError;
        StartError where one of them cannot be executed."""
        ...

    async def attach(self, binds: Sequence[Bind]) -> None:
        """Shows directories read-only over the mount points. Only before `seal`. Raises SandboxError."""
        ...

    async def resize_tmp(self, mib: int) -> None:
        """Replaces the (still empty) /tmp by one of another size. Only before `seal`."""
        ...

    async def seal(self, binds: Sequence[Bind] = ()) -> None:
        """Gives up every privilege of the supervisor: from here on user code may run. `binds` are attached before, in
        the same breath. Raises SandboxError; then it is not sealed."""
        ...

    async def fork(self, files: Mapping[int, int]) -> "Sandbox":
        """A new sandbox, sealed, whose process is a copy of this one's as it is now, with `files` in the place of its
        own, as in Process. It has its own user, mounts, /tmp, pids, ipc, host name and limits, and shares the network
        and its listeners with this one, with which it ends. What the process has to do for it is in
        docs/internals/snapshots.md. Raises SandboxError, also where the spec or the backend does not allow it."""
        ...

    def limit_memory(self, mib: int) -> None: ...

    def limit_cpu(self, cpus: float | None) -> None:
        """In whole CPUs (0.5 is half of one); None for no limit."""
        ...

    def memory_peak_bytes(self) -> int:
        """The most memory in use since `create`, the last figure known where the sandbox has ended. Cheap enough to be
        read after every invocation (one pread)."""
        ...

    def freeze(self) -> None:
        """Stops every process inside from running until `thaw`. Costs ~0.1 ms; idempotent."""
        ...

    def thaw(self) -> None: ...

    async def make_socket(self) -> socket.socket:
        """A TCP socket in the sandbox's own network, not connected, non-blocking: for talking to who listens inside.
        Raises SandboxError where the sandbox has ended."""
        ...

    async def destroy(self) -> None:
        """Kills everything inside, frozen or not, and returns when nothing of the sandbox is left: no process, mount,
        cgroup, file, descriptor. Idempotent; never raises for a sandbox that already died."""
        ...


class SandboxBackend(Protocol):
    @property
    def isolation(self) -> Isolation: ...

    async def open(self) -> None:
        """Prepares the backend and removes what a killed predecessor left in the same state directory."""
        ...

    async def create(self, spec: SandboxSpec, process: Process | None = None) -> Sandbox:
        """A sandbox ready for `attach`; with `process`, that runs in it already. Safe to call concurrently.
        Raises SandboxError; then nothing is left behind."""
        ...

    async def open_zygote(self, root: Root, process: Process, hostname: str = "localhost") -> Zygote:
        """Ready to be copied. What `process` (which is given no files) has to do for it is in
        docs/internals/sandbox.md. Raises SandboxError, also where this backend has none."""
        ...

    async def close(self) -> None:
        """Destroys every sandbox. If the caller dies instead, the kernel ends them all."""
        ...
