"""Processes that run beside the one that a sandbox is for."""

import os

import pytest
from sandboxes import PYTHON, Workbench, needs_root

from lambent.sandbox.port import Exit, Process, StartError

pytestmark = [needs_root, pytest.mark.asyncio(loop_scope="module")]


def python(code: str, **files: int) -> Process:
    numbers = {int(name.removeprefix("fd")): descriptor for name, descriptor in files.items()}
    return Process(argv=(PYTHON, "-I", "-S", "-c", code), variables={"WHO": "companion"}, files=numbers)


async def test_they_run_before_it_and_end_with_it_where_no_function_is_in_yet(bench: Workbench) -> None:
    out_read, out_write = os.pipe()
    life_read, life_write = os.pipe()
    sandbox = await bench.blank()
    companion = python(
        "import os, time; os.write(1, os.environ['WHO'].encode() + b' %d' % os.getppid()); time.sleep(60)",
        fd1=out_write,
        fd3=life_write,
    )
    await sandbox.start(python("import sys; sys.stdin.read(); import time; time.sleep(0.2)"), [companion])
    os.close(life_write)
    # Its parent is pid 1, whom nothing inside waits for.
    assert os.read(out_read, 100) == b"companion 1"
    assert await sandbox.exited == Exit(code=0)
    assert os.read(life_read, 1) == b""
    os.close(out_write)
    for descriptor in (out_read, life_read):
        os.close(descriptor)
    await sandbox.destroy()


async def test_they_outlive_it_in_a_sealed_sandbox_until_that_is_destroyed(bench: Workbench) -> None:
    life_read, life_write = os.pipe()
    said_read, said_write = os.pipe()
    sandbox = await bench.blank()
    await sandbox.seal()
    companion = python(
        "import os, time\nwhile True: os.write(1, b'x'); time.sleep(0.01)", fd1=said_write, fd3=life_write
    )
    await sandbox.start(python("raise SystemExit(5)"), [companion])
    os.close(life_write)
    assert await sandbox.exited == Exit(code=5)
    os.read(said_read, 1 << 16)
    assert os.read(said_read, 1) == b"x"  # it goes on
    await sandbox.destroy()
    assert os.read(life_read, 1) == b""
    for descriptor in (life_read, said_read, said_write):
        os.close(descriptor)


async def test_the_end_of_one_is_seen_at_its_pipe_and_ends_nothing_else(bench: Workbench) -> None:
    life_read, life_write = os.pipe()
    sandbox = await bench.blank()
    await sandbox.start(
        python("import time; time.sleep(60)"), [python("raise SystemExit(3)", fd3=life_write)]
    )
    os.close(life_write)
    assert os.read(life_read, 1) == b""
    assert not sandbox.exited.done()
    os.close(life_read)
    await sandbox.destroy()


async def test_one_that_cannot_be_executed_is_told(bench: Workbench) -> None:
    sandbox = await bench.blank()
    missing = Process(argv=("/opt/extensions/missing",), variables={})
    with pytest.raises(StartError, match="execute /opt/extensions/missing: No such file or directory"):
        await sandbox.start(python("pass"), [missing])
    await sandbox.destroy()
