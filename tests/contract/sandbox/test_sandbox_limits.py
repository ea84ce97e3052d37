"""What a sandbox may use, and stopping it."""

import asyncio
import os
import signal
import time
from dataclasses import replace

import pytest
from sandboxes import TIMEOUT_S, Running, Workbench, needs_root

from lambent.sandbox.port import Exit, Process, SandboxError

pytestmark = [needs_root, pytest.mark.asyncio(loop_scope="module")]

MIB = 1 << 20
HOLD = "import time; time.sleep(5)"
"""What is only looked at must be there for a while to be seen."""


async def test_memory_over_the_limit_ends_the_process_and_is_told(bench: Workbench) -> None:
    sandbox = await bench.blank()
    sandbox.limit_memory(64)
    ran = await bench.python(f"x = bytearray({200 * MIB}); {HOLD}; print('survived')", sandbox=sandbox)
    assert ran.exit == Exit(signal=signal.SIGKILL, out_of_memory=True)
    assert ran.output == ""
    assert sandbox.memory_peak_bytes() > 60 * MIB
    if bench.holds("memory") == "yes":
        assert sandbox.memory_peak_bytes() <= 64 * MIB


async def test_much_more_memory_than_the_limit_is_never_had(bench: Workbench) -> None:
    sandbox = await bench.blank()
    sandbox.limit_memory(64)
    code = f"try: x = bytearray({1200 * MIB})\nexcept MemoryError: print('refused')\nelse: print('survived')"
    assert (await bench.python(code, sandbox=sandbox)).output in ("", "refused\n")


async def test_killed_child_does_not_hide_that_memory_ran_out(bench: Workbench) -> None:
    sandbox = await bench.blank()
    sandbox.limit_memory(64)
    code = (
        f"import os\nif os.fork() == 0:\n  x = bytearray({200 * MIB}); {HOLD}\nos.wait(); raise SystemExit(1)"
    )
    assert (await bench.python(code, sandbox=sandbox)).exit.out_of_memory


async def test_memory_below_the_limit_is_fine(bench: Workbench) -> None:
    sandbox = await bench.blank()
    sandbox.limit_memory(128)
    assert (await bench.python(f"x = bytearray({64 * MIB})", sandbox=sandbox)).exit == Exit(code=0)


async def test_memory_limit_may_rise_and_fall(bench: Workbench) -> None:
    sandbox = await bench.blank()
    for mib in (128, 3008, 256, 10240, 64):
        sandbox.limit_memory(mib)
    ran = await bench.python(f"x = bytearray({100 * MIB}); {HOLD}", sandbox=sandbox)
    assert ran.exit.out_of_memory


async def test_memory_peak_is_the_most_that_was_used(bench: Workbench) -> None:
    sandbox = await bench.blank()
    running = await Running.start(sandbox, f"x = bytearray({80 * MIB}); del x; print('done'); input()")
    before = sandbox.memory_peak_bytes()
    assert await running.line() == "done"
    assert 80 * MIB <= sandbox.memory_peak_bytes() < 110 * MIB
    assert before < 80 * MIB
    await running.wait()
    await sandbox.destroy()
    assert sandbox.memory_peak_bytes() >= 80 * MIB  # the last figure stays


async def test_files_in_tmp_do_not_count_as_memory(bench: Workbench) -> None:
    if bench.backend.name == "namespaces" and bench.holds("disk") != "yes":
        pytest.skip("; ".join(bench.backend.isolation.missing))
    bench.spec = replace(bench.spec, tmp_mib=200)
    sandbox = await bench.blank()
    sandbox.limit_memory(64)
    code = f"f = open('/tmp/big', 'wb')\nfor _ in range(150): f.write(bytes({MIB}))\nprint(f.tell())"
    ran = await bench.python(code, sandbox=sandbox)
    assert ran.exit == Exit(code=0)
    assert ran.output == f"{150 * MIB}\n"


@pytest.mark.parametrize("mib", [16, 512])
async def test_tmp_holds_what_it_should_and_no_more(bench: Workbench, mib: int) -> None:
    bench.spec = replace(bench.spec, tmp_mib=mib)
    code = """
import errno, os
f, written = os.open('/tmp/full', os.O_CREAT | os.O_WRONLY), 0
try:
    while True:
        os.posix_fallocate(f, written, 1 << 20)
        written += 1 << 20
except OSError as error:
    print(errno.errorcode[error.errno], written >> 20)
"""
    error, written = (await bench.python(code)).output.split()
    assert error == "ENOSPC"
    assert mib <= int(written) <= mib + 24


async def test_tmp_is_private_empty_and_for_everybody(bench: Workbench) -> None:
    """It belongs to whom the root directory belongs: root, where there is one inside."""
    code = (
        "import os; s = os.stat('/tmp');"
        "print(os.listdir('/tmp'), s.st_uid == os.stat('/').st_uid, oct(s.st_mode))"
    )
    assert (await bench.python(code)).output == "[] True 0o41777\n"


async def test_what_is_in_tmp_may_be_written_again_moved_linked_and_removed(bench: Workbench) -> None:
    """Which the kernel looks at twice in directories that everybody may write."""
    code = (
        "import os; os.chdir('/tmp'); open('a', 'w').write('1'); open('a', 'w').write('2'); os.link('a', 'b');"
        "os.symlink('a', 'c'); os.mkfifo('d'); os.rename('b', 'e'); print(open('c').read(), open('e').read());"
        "[os.unlink(name) for name in os.listdir('.')]; print(os.listdir('.'))"
    )
    assert (await bench.python(code)).output == "2 2\n[]\n"


async def test_tmp_may_be_resized_before_seal(bench: Workbench) -> None:
    sandbox = await bench.blank()
    running = await Running.start(
        sandbox, "import os; input(); s = os.statvfs('/tmp'); print(s.f_frsize * s.f_blocks)"
    )
    await sandbox.resize_tmp(1024)
    await sandbox.resize_tmp(100)
    await sandbox.seal()
    running.say("go")
    assert 100 * MIB <= int(await running.line()) < 130 * MIB
    await running.wait()
    await sandbox.destroy()


async def test_fork_bomb_is_contained(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, processes_max=50)
    if bench.holds("pids") == "no":
        code = "import os, time\nfor _ in range(80):\n  if os.fork() == 0: time.sleep(60)\nprint('eighty')"
        assert (await bench.python(code)).output == "eighty\n"  # and all of them end with the sandbox
        return
    code = """
import os, time
count = 1
try:
    while count < 1000:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except BlockingIOError:
    print(count)
    os.kill(os.getpid(), 9)
"""
    sandbox = await bench.blank()
    running = await Running.start(sandbox, code)
    assert int(await running.line()) == 50
    assert (await running.wait()).exit == Exit(signal=signal.SIGKILL)
    await sandbox.destroy()


async def test_descriptors_are_limited(bench: Workbench) -> None:
    code = """
import os, resource
try:
    while True:
        last = os.dup(0)
except OSError as error:
    os.close(last)
    print(last, resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert (await bench.python(code)).output == "1023 (1024, 1024)\n"


COUNT = """
import sys, time
n = 0
while True:
    n += 1
    print(n, flush=True)
    time.sleep(0.001)
"""


async def test_frozen_process_stands_still_and_goes_on(bench: Workbench) -> None:
    sandbox = await bench.blank()
    running = await Running.start(sandbox, COUNT)
    await running.line()
    sandbox.freeze()
    sandbox.freeze()
    with pytest.raises(TimeoutError):
        while True:  # what is in the pipe, then silence
            await asyncio.wait_for(running._reader.readline(), 0.2)
    sandbox.thaw()
    sandbox.thaw()
    assert int(await running.line()) > 1
    await sandbox.destroy()
    os.close(running._input)


async def test_frozen_sandbox_is_destroyed(bench: Workbench) -> None:
    sandbox = await bench.blank(Process(argv=("/usr/bin/sleep", "60"), variables={}))
    await sandbox.seal()
    sandbox.freeze()
    await asyncio.wait_for(sandbox.destroy(), TIMEOUT_S)
    assert sandbox.exited.result() == Exit()


async def test_what_is_destroyed_cannot_be_changed(bench: Workbench) -> None:
    sandbox = await bench.blank()
    await sandbox.destroy()
    for change in (
        sandbox.freeze,
        sandbox.thaw,
        lambda: sandbox.limit_memory(128),
        lambda: sandbox.limit_cpu(1),
    ):
        with pytest.raises(SandboxError, match="ended"):
            change()
    with pytest.raises(SandboxError, match="ended"):
        await sandbox.attach([])


async def test_cpu_limit_slows_and_can_be_lifted(bench: Workbench) -> None:
    if bench.holds("cpu") == "no":
        # Nothing limits it: it is in the same groups as we are.
        assert (await bench.python("print(open('/proc/self/cgroup').read())")).output.count("/\n") > 0
        return
    sandbox = await bench.blank()
    code = """
import time
while input():
    started = time.process_time()
    while time.process_time() - started < 0.1:
        pass
    print(1)
"""
    running = await Running.start(sandbox, code)

    async def seconds() -> float:
        started = time.monotonic()
        running.say("go")
        assert await running.line() == "1"
        return time.monotonic() - started

    sandbox.limit_cpu(0.1)
    limited = await seconds()
    sandbox.limit_cpu(None)
    assert await seconds() < limited
    assert limited > 0.3  # 0.1 s of work at a tenth of a processor; a burst may save some of it
    sandbox.limit_cpu(1.7)
    await sandbox.destroy()
    os.close(running._input)
