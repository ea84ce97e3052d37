"""What `lambent doctor` says of the machine: read from /proc and /etc, changing nothing."""

import os
import platform
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path

_GIB = 1 << 30
_SERVER_DESCRIPTORS = 256
"""Held back for the database, connections and the like."""
_ENVIRONMENT_DESCRIPTORS = 8
_ENVIRONMENT_PROCESSES = 2
_ENVIRONMENT_MIB = 128
"""What the smallest function may use. An environment that is idle uses some 20 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    kernel: str
    machine: str
    distribution: str
    cores: int
    memory_bytes: int
    memory_available_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`environments` is how many can live at the same time before `name` runs out. `mend` raises the limit."""

    name: str
    detail: str
    environments: int
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDirectory:
    """`server_pid` is the process of a running server that holds it. `problem` is None where it can be used."""

    path: Path
    server_pid: int | None
    free_bytes: int
    problem: str | None


def examine_host(proc: Path = Path("/proc"), etc: Path = Path("/etc")) -> Host:
    memory = _memory(proc)
    return Host(
        kernel=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        distribution=_distribution(etc),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=memory.get("MemTotal", 0),
        memory_available_bytes=memory.get("MemAvailable", 0),
    )


def examine_limits(host: Host, uid_count: int, proc: Path = Path("/proc")) -> list[Limit]:
    """What bounds the number of environments, the tightest first."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    processes = min(_number(proc / "sys/kernel/pid_max"), _number(proc / "sys/kernel/threads-max"))
    namespaces = _number(proc / "sys/user/max_net_namespaces")
    limits = [
        Limit(
            name="sandbox users",
            detail=f"{uid_count:,} uids, one of them the supervisors'",
            environments=uid_count - 1,
            mend=f"LAMBENT_UID_COUNT={uid_count * 2}",
        ),
        Limit(
            name="descriptors",
            detail=f"{descriptors:,} of this process (ulimit -n), about {_ENVIRONMENT_DESCRIPTORS} for each",
            environments=max(0, descriptors - _SERVER_DESCRIPTORS) // _ENVIRONMENT_DESCRIPTORS,
            mend="ulimit -n 1048576 (systemd: LimitNOFILE=1048576)",
        ),
        Limit(
            name="memory",
            detail=f"{gibibytes(host.memory_available_bytes)} available, if each used {_ENVIRONMENT_MIB} MiB",
            environments=host.memory_available_bytes // (_ENVIRONMENT_MIB << 20),
            mend="add memory",
        ),
        Limit(
            name="processes",
            detail=f"{processes:,} (pid_max, threads-max), at least {_ENVIRONMENT_PROCESSES} for each",
            environments=processes // _ENVIRONMENT_PROCESSES,
            mend="sysctl kernel.pid_max=4194304 kernel.threads-max=4194304",
        ),
        Limit(
            name="network namespaces",
            detail=f"{namespaces:,} (user.max_net_namespaces)",
            environments=namespaces,
            mend=f"sysctl user.max_net_namespaces={max(10_000, namespaces * 2)}",
        ),
    ]
    return sorted(limits, key=lambda limit: limit.environments)


def examine_data_directory(path: Path, server_pid: int | None) -> DataDirectory:
    """`server_pid` is who holds its lock now."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    problem = None
    if not existing.is_dir():
        problem = f"{existing} is not a directory: choose another with --data-dir"
    elif not os.access(existing, os.W_OK | os.X_OK):
        problem = f"{existing} may not be written by uid {os.geteuid()}: run as root, or choose another with --data-dir"
    free_bytes = shutil.disk_usage(existing).free
    if problem is None and free_bytes < _GIB:
        problem = f"less than 1 GiB is free below {existing}: make room, or choose another with --data-dir"
    return DataDirectory(path=path, server_pid=server_pid, free_bytes=free_bytes, problem=problem)


def gibibytes(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"


def _memory(proc: Path) -> dict[str, int]:
    """/proc/meminfo, in bytes."""
    rows = (line.partition(":") for line in (proc / "meminfo").read_text(encoding="ascii").splitlines())
    return {name: int(value.removesuffix("kB")) * 1024 for name, _, value in rows if value.endswith("kB")}


def _distribution(etc: Path) -> str:
    try:
        lines = (etc / "os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    rows = dict(line.split("=", 1) for line in lines if "=" in line)
    return rows.get("PRETTY_NAME", "unknown").strip('"')


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))
