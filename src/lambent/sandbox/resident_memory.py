"""Memory of sandboxes that no control group counts: looked at ten times a second, from /proc.

What has more than its limit is ended by whoever watches it. Between two looks a process can take what the machine has;
the kernel then kills functions first (oom_score_adj). Where there is no /proc nothing is seen."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_LOOK_SECONDS = 0.1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = "/proc"


class Watched:
    """The process `pid` with its descendants, or they alone. A look costs some 20 µs for each."""

    def __init__(
        self, pid: int, limit_bytes: int | None, on_exceeded: Callable[[], None], *, only_descendants: bool
    ) -> None:
        self.pid = pid
        self._only_descendants = only_descendants
        self.limit_bytes = limit_bytes
        self.frozen = False
        self.exceeded = False
        self._on_exceeded = on_exceeded
        self._peak_bytes = 0

    def peak_bytes(self) -> int:
        """The most that was in use: seen, or remembered by the kernel for each process that there is now."""
        self._peak_bytes = max(self._peak_bytes, sum(map(_private_peak_bytes, self._family())))
        return self._peak_bytes

    def measure(self) -> None:
        """Looks at what is in use now."""
        used = sum(map(_private_bytes, self._family()))
        if self.limit_bytes is not None and used > self.limit_bytes and not self.exceeded:
            # Pages that forked processes share were counted for each: only now the exact figure is worth its price.
            used = sum(map(_proportional_bytes, self._family()))
            if used > self.limit_bytes:
                self.exceeded = True
                self._on_exceeded()
        self._peak_bytes = max(self._peak_bytes, used)

    def children(self) -> list[int]:
        """The oldest first."""
        return _children(self.pid)

    def _family(self) -> Iterator[int]:
        waiting = self.children() if self._only_descendants else [self.pid]
        while waiting:
            one = waiting.pop()
            yield one
            waiting += _children(one)


class MemoryWatch:
    """All of one backend, by one timer, which runs while there is somebody to look at."""

    def __init__(self) -> None:
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(
        self,
        pid: int,
        limit_bytes: int | None,
        on_exceeded: Callable[[], None],
        *,
        only_descendants: bool = False,
    ) -> Watched:
        """`on_exceeded` is called once, when `pid` and its descendants together have more than the limit."""
        watched = Watched(pid, limit_bytes, on_exceeded, only_descendants=only_descendants)
        self._watched.add(watched)
        if self._timer is None:
            self._wait()
        return watched

    def forget(self, watched: Watched) -> None:
        self._watched.discard(watched)

    def close(self) -> None:
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        for watched in list(self._watched):
            if not watched.frozen:
                watched.measure()
        if self._watched:
            self._wait()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"{PROC}/{pid}/task"):  # noqa: PTH208 - of names alone
            found += map(int, Path(f"{PROC}/{pid}/task/{thread}/children").read_bytes().split())
    return found


def _private_bytes(pid: int) -> int:
    """Without what lies in files or is shared memory: size, resident, shared, … in pages."""
    try:
        pages = Path(f"{PROC}/{pid}/statm").read_bytes().split()
    except OSError:
        return 0
    return (int(pages[1]) - int(pages[2])) * _PAGE_BYTES


def _private_peak_bytes(pid: int) -> int:
    try:
        lines = Path(f"{PROC}/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    # The most that was resident, files among it; of those it has about as much as then.
    return (kib.get("VmHWM", 0) - kib.get("RssFile", 0) - kib.get("RssShmem", 0)) * 1024


def _proportional_bytes(pid: int) -> int:
    """Private memory, what is shared in equal parts. Walks page tables: milliseconds where there is much."""
    try:
        lines = Path(f"{PROC}/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return _private_bytes(pid)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:"))
