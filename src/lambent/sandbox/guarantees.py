"""What each backend guarantees, as data: `lambent doctor` prints it for this host, docs/reference/isolation.md has all.

These are the tables for a host with everything that the backend can use; what is missing on one, the backend takes
back with `weakened`."""

# ruff: noqa: S108 - what is said of /tmp names no file

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Aspect = Literal[
    "filesystem", "processes", "network", "privileges", "memory", "cpu", "pids", "disk", "freezing", "ending"
]
Holds = Literal["yes", "partly", "no"]

ASPECTS: Final[dict[Aspect, str]] = {
    "filesystem": "which files code inside can see and change",
    "processes": "which processes it can see and signal",
    "network": "what it can reach",
    "privileges": "what it can ask of the kernel",
    "memory": "MemorySize is the most that it has",
    "cpu": "it has the share of CPU that MemorySize buys",
    "pids": "how many processes and threads it can have",
    "disk": "EphemeralStorage is the most that it stores",
    "freezing": "it does not run between invocations",
    "ending": "nothing of it outlives its environment or the server",
}
"""What there is to guarantee, in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """`says` is how it is kept, or what there is instead."""

    aspect: Aspect
    holds: Holds
    says: str


Guarantees = tuple[Guarantee, ...]


def weakened(guarantees: Guarantees, others: Iterable[Guarantee]) -> Guarantees:
    """With `others` in the place of those of the same aspect."""
    instead = {other.aspect: other for other in others}
    return tuple(instead.get(guarantee.aspect, guarantee) for guarantee in guarantees)


_FILES = "a read-only root of its own; of the host nothing but /usr, the runtime and the code, read-only"
_PRIVILEGES = "no capabilities and no way to any, no new privileges, system call filter"
_ENDS = "the kernel ends everything inside with it, however the server ends"

NAMESPACES: Final[Guarantees] = (
    Guarantee("filesystem", "yes", _FILES),
    Guarantee("processes", "yes", "own pid, ipc, uts and cgroup namespaces, and a user id of its own"),
    Guarantee("network", "yes", "own network namespace: its own loopback, and nothing else"),
    Guarantee("privileges", "yes", _PRIVILEGES),
    Guarantee("memory", "yes", "control group: all of its processes together"),
    Guarantee("cpu", "yes", "control group: MemorySize / 1769 of a CPU"),
    Guarantee("pids", "yes", "control group: 1,024"),
    Guarantee("disk", "yes", "/tmp is a file system of its size, on disk"),
    Guarantee("freezing", "yes", "control group"),
    Guarantee("ending", "yes", _ENDS),
)

WITH_NAT: Final = (
    Guarantee(
        "network",
        "yes",
        "own network namespace, and by NAT what is outside: not the host, other environments or 169.254.0.0/16, nor "
        "private networks, unless these are allowed",
    ),
)
"""Of `namespaces`, with `--function-network nat`."""

TMP_IN_MEMORY: Final = (Guarantee("disk", "partly", "/tmp is a tmpfs of its size, within MemorySize"),)
"""Of `namespaces`, where there are no loop devices."""

USERNS: Final[Guarantees] = (
    Guarantee("filesystem", "yes", _FILES),
    Guarantee(
        "processes", "yes", "own pid, ipc and uts namespaces, and a user id of its own, of /etc/subuid"
    ),
    Guarantee("network", "yes", "own network namespace: its own loopback, and nothing else"),
    Guarantee("privileges", "yes", f"{_PRIVILEGES}; all below a user namespace without rights on the host"),
    Guarantee("memory", "yes", "control group that systemd has delegated: all of its processes together"),
    Guarantee("cpu", "yes", "control group that systemd has delegated: MemorySize / 1769 of a CPU"),
    Guarantee("pids", "yes", "1,024 for each environment's user id"),
    Guarantee("disk", "partly", "/tmp is a tmpfs of its size: it takes memory of the host"),
    Guarantee("freezing", "yes", "control group that systemd has delegated"),
    Guarantee("ending", "yes", _ENDS),
)

WITHOUT_CPU: Final = (
    Guarantee("cpu", "no", "no limit: environments share the CPUs evenly with everything else"),
)
"""Of `userns`, where control groups are delegated, but not the controller for this."""

WITHOUT_CGROUPS: Final = (
    Guarantee(
        "memory",
        "partly",
        "looked at ten times a second, and what has more is killed; 1 GiB of data beyond it is refused at once",
    ),
    *WITHOUT_CPU,
    Guarantee("freezing", "yes", "SIGSTOP, which what was stopped can notice afterwards"),
)
"""Of `userns`, where no control group is delegated."""

ONE_USER: Final = (
    Guarantee(
        "processes", "partly", "own pid, ipc and uts namespaces, but every environment is the same user"
    ),
    Guarantee(
        "pids",
        "no",
        "no limit of its own: all environments share the limit of the user who started the server",
    ),
)
"""Of `userns`, where the user has no range in /etc/subuid and /etc/subgid."""

PROCESS: Final[Guarantees] = (
    Guarantee("filesystem", "no", "everything that the user who started the server can read and write"),
    Guarantee("processes", "no", "every process of that user, the server among them"),
    Guarantee("network", "no", "the host's network, its loopback, and every other environment's Runtime API"),
    Guarantee("privileges", "no", "those of the user who started the server"),
    Guarantee("memory", "partly", "looked at ten times a second (on Linux), and what has more is killed"),
    Guarantee("cpu", "no", "no limit"),
    Guarantee("pids", "no", "no limit"),
    Guarantee("disk", "no", "TMPDIR is a directory of its own without a limit; /tmp is the host's"),
    Guarantee("freezing", "partly", "SIGSTOP, for what has not left its process group"),
    Guarantee(
        "ending",
        "partly",
        "its process group is killed; what has left that lives on, as does all when the server is killed",
    ),
)

ALL: Final[dict[str, Guarantees]] = {"namespaces": NAMESPACES, "userns": USERNS, "process": PROCESS}
"""By backend, the strongest first."""
