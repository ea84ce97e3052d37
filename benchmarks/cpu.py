"""CPU time of processes, from /proc."""

import hmac
import json
import os
import re
import textwrap
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

_WORK_TIMES = 200
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of one process, all its threads."""
    return _seconds(_fields(pid))


def cpu_seconds_below(pid: int) -> float:
    """The same of everything that runs below a process, now."""
    return sum(map(_seconds, processes_below(pid).values()))


def processes_below(pid: int) -> dict[int, list[str]]:
    """Children, their children and so on: by pid, their fields as in `_fields`."""
    processes = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                processes[int(entry.name)] = _fields(int(entry.name))
            except OSError:
                continue  # it ended while we looked
    parents = {one: int(fields[1]) for one, fields in processes.items()}
    return {one: fields for one, fields in processes.items() if _is_below(one, pid, parents)}


def rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fixed_work_us(*, after_sleep: bool) -> float:
    """CPU time of a fixed piece of varied Python: over and over, or each time after half a millisecond of sleep.

    The second is what a server does, and takes longer as its caches are cold by then; how much longer says how many
    neighbours share them. Every figure in CPU time measured meanwhile contains that factor."""
    seconds = 0.0
    for _ in range(_WORK_TIMES):
        if after_sleep:
            time.sleep(0.0005)
        began = time.thread_time()
        _varied_work()
        seconds += time.thread_time() - began
    return seconds / _WORK_TIMES * 1e6


def _varied_work() -> None:
    json.loads(json.dumps({"a": [1, 2, {"b": "c"}]}))
    re.sub(r"(\w+)", r"<\1>", "some words to mark")
    hmac.digest(b"key", b"message", "sha256")
    textwrap.wrap("words to be wrapped in lines of ten", 10)
    (Decimal("1.23") * 3).quantize(Decimal("0.1"))
    datetime.now(UTC).isoformat()


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
