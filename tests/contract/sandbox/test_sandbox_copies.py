"""Copies of a sandbox's process: each is a sandbox of its own."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxes import PYTHON, Workbench, needs_root

from lambent import runtimes
from lambent.sandbox.port import FORK_DESCRIPTOR, Bind, Exit, Process, Sandbox, SandboxError

pytestmark = needs_root
copies = pytest.mark.skipif(os.geteuid() != 0, reason="copies of a process take root")

RUNTIME = Path(runtimes.__file__).parent / "python"
TEMPLATE = f"""
import os, sys
sys.path.insert(0, "/var/task")
from lambent_runtime import snapshot
remembered = "remembered"
os.write(1, b"ready\\n")
files = snapshot.be_copied({FORK_DESCRIPTOR})
for line in os.fdopen(files[0]):
    exec(line)
"""


@pytest.fixture
async def bench(own_bench: Workbench) -> Workbench:
    """Of its own: what is left of a copy is looked for when all is over."""
    return own_bench


class Copy:
    def __init__(self, sandbox: Sandbox, read: int, write: int) -> None:
        self.sandbox, self._read, self._write = sandbox, read, write

    async def run(self, code: str) -> str:
        """What `code` makes of `said`."""
        os.write(self._write, f"{code}; os.write(files[1], repr(said).encode())\n".encode())
        return (await asyncio.to_thread(os.read, self._read, 65536)).decode()

    def say(self, code: str) -> None:
        os.write(self._write, f"{code}\n".encode())

    async def end(self) -> None:
        await self.sandbox.destroy()
        os.close(self._read)
        os.close(self._write)


async def template(bench: Workbench) -> Sandbox:
    bench.spec = replace(bench.spec, forks=True)
    sandbox = await bench.blank()
    await sandbox.seal([Bind(RUNTIME, "/var/task")])
    read, write = os.pipe()
    await sandbox.start(
        Process(argv=(PYTHON, "-S", "-c", TEMPLATE), variables={}, files={1: write, 2: write})
    )
    os.close(write)
    said = await asyncio.to_thread(os.read, read, 65536)
    assert said == b"ready\n", said
    os.close(read)
    return sandbox


async def copy_of(sandbox: Sandbox) -> Copy:
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    try:
        return Copy(await sandbox.fork({0: in_read, 1: out_write}), out_read, in_write)
    finally:
        os.close(in_read)
        os.close(out_write)


@copies
async def test_a_copy_remembers_and_shares_nothing_else_that_can_be_written(bench: Workbench) -> None:
    origin = await template(bench)
    first, second = await copy_of(origin), await copy_of(origin)
    for copy in (first, second):
        assert await copy.run("said = remembered") == "'remembered'"
        assert await copy.run("open('/tmp/x', 'x').write('mine'); said = os.listdir('/tmp')") == "['x']"
        assert (
            await copy.run("said = sorted(int(n) for n in os.listdir('/proc') if n.isdigit())[:1]") == "[1]"
        )
    await first.end()
    assert await second.run("said = open('/tmp/x').read()") == "'mine'"
    await second.end()
    await origin.destroy()


@copies
async def test_a_copy_has_no_privilege_and_cannot_get_any(bench: Workbench) -> None:
    origin = await template(bench)
    copy = await copy_of(origin)
    lines = "said = {l.split()[1] for l in open('/proc/self/status') if l.startswith('Cap')}"
    assert await copy.run(lines) == repr({"0" * 16})
    await copy.run("import ctypes; libc = ctypes.CDLL(None, use_errno=True); said = 1")
    for call in (
        "mount(b'/tmp', b'/opt', None, 4096, None)",
        "unshare(0x40000000)",
        "setns(1, 0)",
        "chroot(b'/tmp')",
    ):
        assert await copy.run(f"said = libc.{call}, ctypes.get_errno()") == "(-1, 1)", call
    # The host's users are others, and none of them can be had.
    assert await copy.run("said = open('/proc/self/uid_map').read().split()[2]") == "'1'"
    await copy.end()
    await origin.destroy()


@copies
async def test_limits_exits_and_freezing_are_of_each_copy(bench: Workbench) -> None:
    origin = await template(bench)
    copy, other = await copy_of(origin), await copy_of(origin)
    copy.sandbox.limit_memory(64)
    copy.sandbox.freeze()
    assert await other.run("said = 1") == "1"
    copy.sandbox.thaw()
    copy.say("hog = bytearray(1 << 28)")
    exit = await asyncio.wait_for(asyncio.shield(copy.sandbox.exited), 20)
    assert exit.out_of_memory
    other.say("os._exit(7)")
    assert await asyncio.wait_for(asyncio.shield(other.sandbox.exited), 20) == Exit(code=7)
    await copy.end()
    await other.end()
    await origin.destroy()


@copies
async def test_copies_end_with_their_template(bench: Workbench) -> None:
    origin = await template(bench)
    copy = await copy_of(origin)
    await origin.destroy()
    await asyncio.wait_for(asyncio.shield(copy.sandbox.exited), 20)
    await copy.end()
    with pytest.raises(SandboxError):
        await copy_of(origin)


@copies
async def test_what_was_not_made_to_be_copied_is_not(bench: Workbench) -> None:
    sandbox = await bench.blank()
    with pytest.raises(SandboxError):
        await sandbox.fork({})
    await sandbox.destroy()


@pytest.mark.skipif(os.geteuid() == 0, reason="copies of a process take root, who is here")
async def test_an_ordinary_user_is_told_what_copies_take(bench: Workbench) -> None:
    origin = await template(bench)
    with pytest.raises(SandboxError, match="take root: start the server with --isolation namespaces"):
        await copy_of(origin)
