"""CPU time of processes, from /proc."""

import os
from pathlib import Path

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of one process, all its threads."""
    return _seconds(_fields(pid))


def cpu_seconds_below(pid: int) -> float:
    """The same of everything that runs below a process, now."""
    parents, seconds = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = _fields(int(entry.name))
            except OSError:
                continue  # it ended while we looked
            parents[int(entry.name)] = int(fields[1])
            seconds[int(entry.name)] = _seconds(fields)
    return sum(seconds[one] for one in parents if _is_below(one, pid, parents))


def rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _fields(pid: int) -> list[str]:
    """Those of /proc/PID/stat that follow the command's name; the first is the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(fields: list[str]) -> float:
    return (int(fields[11]) + int(fields[12])) * _TICK_SECONDS


def _is_below(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while (parent := parents.get(pid, 0)) != 0:
        if parent == ancestor:
            return True
        pid = parent
    return False
