"""One sandbox's group in the cgroup v2 hierarchy."""
# Paths are strings, as in cgroup.py.
# ruff: noqa: PTH110, PTH118, PTH123

import os

from lambent.sandbox.cgroup import CgroupTree, write
from lambent.sandbox.cpu_quota import PERIOD_US, quota_us


class V2Cgroup:
    def __init__(self, tree: CgroupTree, name: str) -> None:
        assert tree.v2 is not None
        self._directory = os.path.join(tree.v2, name)
        self._limits_cpu = "cpu" in tree.controllers
        peak = os.path.join(self._directory, "memory.peak")
        if not os.path.exists(peak):  # Linux before 5.19: what is in use now is the best that can be said
            peak = os.path.join(self._directory, "memory.current")
        self._peak = os.open(peak, os.O_RDONLY)
        # A sandbox that lost one process to the limit is of no use: let the kernel end all of it.
        write(os.path.join(self._directory, "memory.oom.group"), "1")

    def limit_memory(self, limit_bytes: int) -> None:
        swap = os.path.join(self._directory, "memory.swap.max")
        if os.path.exists(swap):
            write(swap, "0")
        write(os.path.join(self._directory, "memory.max"), str(limit_bytes))

    def limit_cpu(self, cpus: float | None) -> None:
        if not self._limits_cpu:
            return
        limit = os.path.join(self._directory, "cpu.max")
        burst = os.path.join(self._directory, "cpu.max.burst")
        bursts = os.path.exists(burst)  # Linux 5.14
        if bursts:
            write(burst, "0")  # a burst above the new quota would be refused
        if cpus is None:
            write(limit, f"max {PERIOD_US}")
            return
        write(limit, f"{quota_us(cpus)} {PERIOD_US}")
        if bursts:
            write(burst, str(quota_us(cpus)))

    def limit_processes(self, count: int) -> None:
        write(os.path.join(self._directory, "pids.max"), str(count))

    def memory_peak_bytes(self) -> int:
        return int(os.pread(self._peak, 32, 0))

    def out_of_memory_kills(self) -> int:
        with open(os.path.join(self._directory, "memory.events"), encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)

    def freeze(self) -> None:
        write(os.path.join(self._directory, "cgroup.freeze"), "1")

    def thaw(self) -> None:
        write(os.path.join(self._directory, "cgroup.freeze"), "0")

    def close(self) -> None:
        os.close(self._peak)
