"""Sandboxes made and destroyed, many thousand times: does anything stay, does it become slower?

Run: ./dev bench cycles [--cycles 10000] [--at-a-time 4] [--copied]

Each runs a process, is sealed, and every tenth is killed in the middle of its life. With `--copied` the process is a
copy of a Python runtime that waits, which is replaced after every thousand. As root it is the `namespaces` backend, as
another user `userns`. Prints how many were made in a second in the first tenth and in the last, and what is
held then beside what was held after the first hundred.
"""

import argparse
import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from lambent.environments.zygotes import Lineage, Zygotes
from lambent.runtimes.registry import RuntimeRegistry
from lambent.sandbox.namespace_sandbox import NamespaceSandbox
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


class _Maker:
    """Makes sandboxes that execute something."""

    def __init__(self, backend: NamespacesBackend) -> None:
        self.backend = backend

    async def make(self) -> NamespaceSandbox:
        return await self.backend.create(_SPEC, _SLEEP)


class _Copier(_Maker):
    """Makes sandboxes that go on as copies of a runtime, and wait for what the server never says."""

    def __init__(self, backend: NamespacesBackend) -> None:
        super().__init__(backend)
        install = RuntimeRegistry(home=Path.home()).get(f"python3.{sys.version_info.minor}")
        assert install is not None
        self._install = install
        self._zygotes = Zygotes(backend, time.monotonic, most=1)

    async def make(self) -> NamespaceSandbox:
        lineage = Lineage(account_id="cycles")
        assert self._zygotes.keep(self._install, lineage)
        await self._zygotes.wait_made(self._install, lineage)
        async with self._zygotes.copied(self._install, lineage) as zygote:
            spec = replace(_SPEC, root=self._install.root, zygote=zygote)
            ours, theirs = socket.socketpair()
            with theirs:
                files = dict.fromkeys((1, 2, 3, 4), theirs.fileno())
                process = Process(argv=self._install.argv, variables={}, files=files)
                sandbox = await self.backend.create(spec, process)
        sandbox.exited.add_done_callback(lambda _: ours.close())
        return sandbox


async def _cycle(maker: _Maker, number: int) -> None:
    sandbox = await maker.make()
    sandbox.limit_memory(128)
    if number % 10:
        await sandbox.seal()
        sandbox.freeze()
    for listener in sandbox.listeners:
        listener.close()
    await sandbox.destroy()


async def _run(maker: _Maker, cycles: int, at_a_time: int) -> float:
    """Cycles in a second."""
    numbers = iter(range(cycles))

    async def work() -> None:
        for number in numbers:
            await _cycle(maker, number)

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(at_a_time)))
    return cycles / (time.monotonic() - began)


def _held(backend: NamespacesBackend, state: Path) -> dict[str, int]:
    spawner = backend.spawner_pid
    loops = Path("/sys/block").glob("loop*/loop/backing_file")
    groups = [place for place, _, _ in os.walk("/sys/fs/cgroup") if f"/lambent/{backend.instance}/" in place]
    return {
        "descriptors": _entries(Path("/proc/self/fd")),
        "memory, MiB": int(Path("/proc/self/statm").read_text().split()[1]) >> 8,
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


async def _measure(
    new_backend: Callable[[Path], NamespacesBackend],
    new_maker: Callable[[NamespacesBackend], _Maker],
    cycles: int,
    at_a_time: int,
) -> bool:
    with tempfile.TemporaryDirectory(prefix="lambent-cycles-") as directory:
        state = Path(directory) / "state"
        backend = new_backend(state)
        await backend.open()
        try:
            maker = new_maker(backend)
            return await _compare(backend, state, lambda count: _run(maker, count, at_a_time), cycles)
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
    parser.add_argument("--copied", action="store_true")
    arguments = parser.parse_args()
    new_backend = NamespacesBackend if os.geteuid() == 0 else UsernsBackend
    new_maker = _Copier if arguments.copied else _Maker
    return 0 if asyncio.run(_measure(new_backend, new_maker, arguments.cycles, arguments.at_a_time)) else 1


if __name__ == "__main__":
    sys.exit(main())
