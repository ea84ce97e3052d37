"""Sandboxes made and destroyed, many thousand times: does anything stay, does it become slower?

Run: ./dev bench cycles [--cycles 10000] [--at-a-time 4]

Each runs a process, is sealed, and every tenth is killed in the middle of its life. As root it is the `namespaces`
backend, as another user `userns`. Prints how many were made in a second in the first tenth and in the last, and what is
held then beside what was held after the first hundred.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from lambent.sandbox.namespaces import NamespacesBackend
from lambent.sandbox.port import Bind, Process, Root, SandboxSpec
from lambent.sandbox.userns import UsernsBackend

_ROOT = Root(
    binds=(Bind(Path("/usr"), "/usr"),),
    links={"/bin": "usr/bin", "/lib": "usr/lib", "/lib64": "usr/lib64"},
)
_SPEC = SandboxSpec(root=_ROOT, tmp_mib=16, listen=(("127.0.0.1", 9001),))
_SLEEP = Process(argv=("/usr/bin/sleep", "600"), variables={})
_WARM_UP = 100
_SLOWER_MOST = 1.5


async def _cycle(backend: NamespacesBackend, number: int) -> None:
    sandbox = await backend.create(_SPEC, _SLEEP)
    sandbox.limit_memory(128)
    if number % 10:
        await sandbox.seal()
        sandbox.freeze()
    for listener in sandbox.listeners:
        listener.close()
    await sandbox.destroy()


async def _run(backend: NamespacesBackend, cycles: int, at_a_time: int) -> float:
    """Cycles in a second."""
    numbers = iter(range(cycles))

    async def work() -> None:
        for number in numbers:
            await _cycle(backend, number)

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(at_a_time)))
    return cycles / (time.monotonic() - began)


def _held(backend: NamespacesBackend, state: Path) -> dict[str, int]:
    spawner = backend.spawner_pid
    loops = Path("/sys/block").glob("loop*/loop/backing_file")
    groups = [place for place, _, _ in os.walk("/sys/fs/cgroup") if f"/lambent/{backend.instance}/" in place]
    return {
        "descriptors": _entries(Path("/proc/self/fd")),
        "descriptors of the spawner": _entries(Path(f"/proc/{spawner}/fd")),
        "mounts of the spawner": len(Path(f"/proc/{spawner}/mountinfo").read_text().splitlines()),
        "memory of the spawner, MiB": int(Path(f"/proc/{spawner}/statm").read_text().split()[1]) >> 8,
        "sandboxes of the spawner": len(Path(f"/proc/{spawner}/task/{spawner}/children").read_text().split()),
        "control groups": len(groups),
        "loop devices": sum(1 for file in loops if str(state) in _read(file)),
    }


def _entries(directory: Path) -> int:
    return sum(1 for _ in directory.iterdir())


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


async def _measure(new_backend: Callable[[Path], NamespacesBackend], cycles: int, at_a_time: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="lambent-cycles-") as directory:
        state = Path(directory) / "state"
        backend = new_backend(state)
        await backend.open()
        try:
            return await _compare(backend, state, lambda count: _run(backend, count, at_a_time), cycles)
        finally:
            await backend.close()


async def _compare(
    backend: NamespacesBackend, state: Path, run: Callable[[int], Awaitable[float]], cycles: int
) -> bool:
    await run(_WARM_UP)
    before = _held(backend, state)
    part = max(1, cycles // 10)
    rates = [await run(part) for _ in range(10)]
    after = _held(backend, state)
    print(
        f"{backend.isolation.backend}: {part * 10} cycles; {rates[0]:.0f}/s at first, {rates[-1]:.0f}/s at last"
    )
    for name, count in after.items():
        print(f"  {name:30} {before[name]:6} before, {count:6} after")
    more = [name for name, count in after.items() if count > before[name] + ("MiB" in name)]
    if more:
        print(f"more than before: {', '.join(more)}")
    if rates[0] > rates[-1] * _SLOWER_MOST:
        print("slower than at first")
    return not more and rates[0] <= rates[-1] * _SLOWER_MOST


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--at-a-time", type=int, default=4)
    arguments = parser.parse_args()
    new_backend = NamespacesBackend if os.geteuid() == 0 else UsernsBackend
    return 0 if asyncio.run(_measure(new_backend, arguments.cycles, arguments.at_a_time)) else 1


if __name__ == "__main__":
    sys.exit(main())
