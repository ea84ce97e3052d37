"""Whoever is killed, nothing of a sandbox stays behind."""
# The loop may wait for files: a test is alone on it.
# ruff: noqa: ASYNC240

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import (
    ROOT,
    TIMEOUT_S,
    UID_FIRST,
    Workbench,
    leftovers,
    needs_root,
    new_backend,
    open_descriptors,
)

from lambent.sandbox.namespaces import NamespacesBackend
from lambent.sandbox.port import Exit, Process, SandboxError, SandboxSpec

pytestmark = needs_root

SLEEP = Process(argv=("/usr/bin/sleep", "60"), variables={})

SERVER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from sandboxes import ROOT, new_backend
from lambent.sandbox.port import Process, SandboxSpec

async def main():
    backend = new_backend(Path(sys.argv[1]), uid_first=int(sys.argv[2]))
    await backend.open()
    for index in range(4):
        sandbox = await backend.create(
            SandboxSpec(root=ROOT, tmp_mib=16), Process(argv=("/usr/bin/sleep", "60"), variables={})
        )
        if index > 1:
            await sandbox.seal()
        if index % 2:
            sandbox.freeze()
    print(backend.spawner_pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


class Server:
    """Another process with four sandboxes: sealed or not, frozen or not."""

    def __init__(self, state: Path) -> None:
        support = str(Path(__file__).parents[2] / "support")
        arguments = [str(state), str(UID_FIRST), support]
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, *arguments], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.spawner_pid = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "state")
    yield server
    server.kill()


def wait_until_gone(state: Path, backend: NamespacesBackend) -> list[str]:
    deadline = time.monotonic() + TIMEOUT_S
    while (left := leftovers(state, backend)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def same_backend(tmp_path: Path) -> NamespacesBackend:
    return new_backend(tmp_path / "state")


def test_nothing_survives_the_servers_sudden_death(server: Server, tmp_path: Path) -> None:
    backend = same_backend(tmp_path)
    assert len(leftovers(tmp_path, backend)) > 4  # the look sees what is there
    server.kill()
    assert wait_until_gone(tmp_path, backend) == []


async def test_what_a_server_killed_with_its_spawner_leaves_is_swept(server: Server, tmp_path: Path) -> None:
    os.kill(server.spawner_pid, signal.SIGSTOP)  # so that it cannot clean up
    server.kill()
    os.kill(server.spawner_pid, signal.SIGKILL)
    backend = same_backend(tmp_path)
    await backend.open()
    sandbox = await backend.create(SandboxSpec(root=ROOT, tmp_mib=16), SLEEP)
    await sandbox.destroy()
    await backend.close()
    assert wait_until_gone(tmp_path, backend) == []


async def test_state_directory_of_a_running_server_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="another server uses"):
        await same_backend(tmp_path).open()
    assert leftovers(tmp_path, same_backend(tmp_path)) != []  # and is left alone


async def test_killed_spawner_is_noticed_and_replaced(bench: Workbench) -> None:
    sandboxes = [await bench.blank(SLEEP) for _ in range(3)]
    await sandboxes[0].seal()
    sandboxes[1].freeze()
    first = bench.backend.spawner_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    for sandbox in sandboxes:
        assert await asyncio.wait_for(sandbox.exited, TIMEOUT_S) == Exit()
    fresh = await bench.blank(SLEEP)
    assert bench.backend.spawner_pid != first
    assert not fresh.exited.done()
    for sandbox in sandboxes:
        await sandbox.destroy()


async def test_spawner_killed_during_creates_fails_them(bench: Workbench) -> None:
    await bench.blank(SLEEP)
    creating = [asyncio.ensure_future(bench.blank(SLEEP)) for _ in range(10)]
    await asyncio.sleep(0.03)
    assert bench.backend.spawner_pid is not None
    os.kill(bench.backend.spawner_pid, signal.SIGKILL)
    results = await asyncio.gather(*creating, return_exceptions=True)
    unexpected = [r for r in results if isinstance(r, BaseException) and not isinstance(r, SandboxError)]
    assert unexpected == []


async def test_killed_supervisor_takes_its_sandbox_along(bench: Workbench) -> None:
    sandbox = await bench.blank(SLEEP)
    spawner = bench.backend.spawner_pid
    (supervisor,) = Path(f"/proc/{spawner}/task/{spawner}/children").read_text().split()
    os.kill(int(supervisor), signal.SIGKILL)
    assert await asyncio.wait_for(sandbox.exited, TIMEOUT_S) == Exit()
    await sandbox.destroy()


async def test_cycles_leave_no_descriptor(bench: Workbench) -> None:
    async def cycle(*, failing: bool) -> None:
        sandbox = await bench.backend.create(
            SandboxSpec(root=ROOT, tmp_mib=16, listen=(("127.0.0.1", 9001),)), None if failing else SLEEP
        )
        if failing:
            with pytest.raises(SandboxError):
                await sandbox.start(Process(argv=("/no/such/program",), variables={}))
        else:
            await sandbox.seal()
        for listener in sandbox.listeners:
            listener.close()
        await sandbox.destroy()

    await cycle(failing=False)
    before = open_descriptors()
    spawners = len(list(Path(f"/proc/{bench.backend.spawner_pid}/fd").iterdir()))
    for index in range(50):
        await cycle(failing=index % 10 == 0)
    assert len(open_descriptors()) == len(before)
    assert len(list(Path(f"/proc/{bench.backend.spawner_pid}/fd").iterdir())) == spawners
