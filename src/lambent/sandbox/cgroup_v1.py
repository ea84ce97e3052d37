"""One sandbox's groups in cgroup v1 hierarchies, and the two ways to freeze."""
# Paths are strings, as in cgroup.py.
# ruff: noqa: PTH110, PTH118, PTH123

import os
from typing import Protocol

from lambent.sandbox.cgroup import CgroupTree, write
from lambent.sandbox.cpu_quota import PERIOD_US, quota_us

_UNLIMITED = "-1"


class Freezer(Protocol):
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


class V1Freezer:
    def __init__(self, directory: str) -> None:
        self._state = os.path.join(directory, "freezer.state")

    def freeze(self) -> None:
        write(self._state, "FROZEN")

    def thaw(self) -> None:
        write(self._state, "THAWED")


class V2Freezer:
    """Unlike with v1, a frozen process can still be killed."""

    def __init__(self, directory: str) -> None:
        self._state = os.path.join(directory, "cgroup.freeze")

    def freeze(self) -> None:
        write(self._state, "1")

    def thaw(self) -> None:
        write(self._state, "0")


class V1Cgroup:
    def __init__(self, tree: CgroupTree, name: str) -> None:
        self._memory = os.path.join(tree.v1["memory"], name)
        self._cpu = os.path.join(tree.v1["cpu"], name)
        self._pids = os.path.join(tree.v1["pids"], name)
        self._freezer: Freezer = (
            V2Freezer(os.path.join(tree.v2, name))
            if tree.v2
            else V1Freezer(os.path.join(tree.v1["freezer"], name))
        )
        self.freeze = self._freezer.freeze
        self.thaw = self._freezer.thaw
        self._cpu_limited = False
        self._peak = os.open(os.path.join(self._memory, "memory.max_usage_in_bytes"), os.O_RDONLY)

    def limit_memory(self, limit_bytes: int) -> None:
        # The kernel holds memory <= memory + swap at every moment: widen the outer first, narrow the inner first.
        memory = os.path.join(self._memory, "memory.limit_in_bytes")
        with_swap = os.path.join(self._memory, "memory.memsw.limit_in_bytes")
        try:
            with open(with_swap, encoding="ascii") as file:
                widening = int(file.read()) < limit_bytes
        except FileNotFoundError:  # a kernel without swap accounting
            write(memory, str(limit_bytes))
            write(os.path.join(self._memory, "memory.swappiness"), "0")
            return
        for path in (with_swap, memory) if widening else (memory, with_swap):
            write(path, str(limit_bytes))

    def limit_cpu(self, cpus: float | None) -> None:
        quota = os.path.join(self._cpu, "cpu.cfs_quota_us")
        burst = os.path.join(self._cpu, "cpu.cfs_burst_us")
        bursts = os.path.exists(burst)  # Linux 5.14
        if bursts and self._cpu_limited:
            write(burst, "0")  # a burst above the new quota would be refused
        if cpus is None:
            write(quota, _UNLIMITED)
            return
        if not self._cpu_limited:
            write(os.path.join(self._cpu, "cpu.cfs_period_us"), str(PERIOD_US))
            self._cpu_limited = True
        write(quota, str(quota_us(cpus)))
        if bursts:
            write(burst, str(quota_us(cpus)))

    def limit_processes(self, count: int) -> None:
        write(os.path.join(self._pids, "pids.max"), str(count))

    def memory_peak_bytes(self) -> int:
        return int(os.pread(self._peak, 32, 0))

    def out_of_memory_kills(self) -> int:
        # Not memory.failcnt: it stays 0 where the limit with swap is the one that was hit.
        with open(os.path.join(self._memory, "memory.oom_control"), encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)

    def close(self) -> None:
        os.close(self._peak)
