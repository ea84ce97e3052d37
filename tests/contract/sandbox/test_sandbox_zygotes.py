"""Sandboxes whose process is a copy of one that waits outside. What holds for others holds for them, as
tests/security/sandbox tries on both; here is what they have in common, what not, and who outlives whom."""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxes import PYTHON, TIMEOUT_S, WAITING, Running, Workbench, needs_root

from lambent.sandbox.port import Exit, Process, SandboxError

pytestmark = needs_root

SEEN = "import os, sys; print(hash('x'), id(sys.modules), os.getpid(), sorted(os.listdir('/tmp')))"


@pytest.fixture
async def bench(own_bench: Workbench) -> Workbench:
    """Of its own: zygotes live as long as their backend, and are killed here."""
    return own_bench


def zygotes(bench: Workbench) -> list[int]:
    """Pids of the spawner's children that execute what waits."""
    spawner = bench.backend.spawner_pid
    children = Path(f"/proc/{spawner}/task/{spawner}/children").read_text().split()
    pids = []
    for pid in children:
        status = Path(f"/proc/{pid}/status").read_text()
        namespaces = next(line for line in status.splitlines() if line.startswith("NSpid"))
        pids += [int(pid)] if len(namespaces.split()) == 2 else []
    return pids


async def test_copies_of_one_have_its_memory_and_copies_of_two_do_not(bench: Workbench) -> None:
    await bench.copy_from()
    first, second = [(await bench.python(SEEN)).output for _ in range(2)]
    assert first == second
    assert first.endswith(" 2 []\n")
    await bench.copy_from()
    assert (await bench.python(SEEN)).output.split()[0] != first.split()[0]


async def test_a_copy_is_as_if_it_had_been_executed(bench: Workbench) -> None:
    """Also in what this process would tell of the machine: its name, and the descriptors that it had."""
    await bench.copy_from()
    code = (
        "import os, signal, sys\n"
        "open_files = sorted(map(int, os.listdir('/proc/self/fd')))[:-1]\n"
        "import socket\n"
        "print(open_files, socket.gethostname(), os.getcwd(), os.getsid(0), signal.getsignal(signal.SIGINT).__name__,"
        " [name for name in sys.modules if 'lambent.sandbox' in name or name == 'ctypes'], sys.flags.isolated)"
    )
    ran = await bench.python(code)
    assert ran.output == "[0, 1, 2] localhost / 2 default_int_handler [] 1\n"
    assert ran.exit == Exit(code=0)


async def test_a_copy_that_has_its_files_from_the_beginning_goes_on_by_itself(bench: Workbench) -> None:
    await bench.copy_from()
    ours, theirs = socket.socketpair()
    code = "import os; print(os.getpid(), sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"
    with ours:
        with theirs:
            process = Process(argv=(PYTHON,), variables={}, files=dict.fromkeys(range(3), theirs.fileno()))
            sandbox = await asyncio.wait_for(bench.backend.create(bench.spec, process), TIMEOUT_S)
        ours.sendall(f"{code!r}\n".encode())
        assert await asyncio.wait_for(asyncio.shield(sandbox.exited), TIMEOUT_S) == Exit(code=0)
        assert ours.recv(4096) == b"2 [0, 1, 2]\n"
    with pytest.raises(SandboxError, match="once"):
        await sandbox.start(process)
    await sandbox.destroy()


@pytest.mark.parametrize("copied", [False, True])
async def test_its_user_has_a_name(bench: Workbench, *, copied: bool) -> None:
    root = replace(bench.spec.root, files={"/etc/passwd": "root:x:0:0::/:\nme:x:{uid}:990::/:\n"})
    bench.spec = replace(bench.spec, root=root)
    if copied:
        await bench.copy_from(root=root)
    code = (
        "import os, pwd\n"
        "try: open('/etc/passwd', 'a')\n"
        "except OSError as error: print(error.errno in (13, 30))\n"
        "print(pwd.getpwuid(os.getuid()).pw_name, os.listdir('/tmp'), sum(1 for _ in open('/etc/passwd')))"
    )
    assert (await bench.python(code)).output == "True\nme [] 2\n"


async def test_what_cannot_be_made_inside_of_a_copy_fails_create(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, listen=(("127.0.0.1", 9001), ("127.0.0.1", 9001)))
    await bench.copy_from()
    with pytest.raises(SandboxError, match=r"listen on 127\.0\.0\.1:9001: Address already in use"):
        await bench.blank()
    bench.spec = replace(bench.spec, listen=())
    assert (await bench.python("print('runs')")).output == "runs\n"


async def test_what_a_copy_does_no_other_sees(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, listen=(("127.0.0.1", 9001),))
    await bench.copy_from()
    code = (
        "import os, socket\n"
        "open('/tmp/mine', 'x')\n"
        "taken = socket.socket(socket.AF_UNIX); taken.bind('\\0name'); socket.socket().bind(('127.0.0.1', 9100))\n"
        "os.environ['MINE'] = '1'\n"
        "print('done'); input()"
    )
    both = [await Running.start(await bench.blank(), code) for _ in range(2)]
    assert [await running.line() for running in both] == ["done", "done"]
    for running in both:
        await running.wait()
        for listener in running.sandbox.listeners:
            listener.close()
        await running.sandbox.destroy()


@pytest.mark.parametrize("how", ["close", "kill"])
async def test_copies_go_on_without_what_they_were_copied_from(bench: Workbench, how: str) -> None:
    zygote = await bench.copy_from()
    running = await Running.start(await bench.blank(), "print('up'); print(input()); raise SystemExit(7)")
    assert await running.line() == "up"
    if how == "close":
        await zygote.close()
        await zygote.close()
    else:
        os.kill(zygotes(bench)[0], signal.SIGKILL)
        await asyncio.wait_for(asyncio.shield(zygote.ended), TIMEOUT_S)
    assert zygotes(bench) == []
    with pytest.raises(SandboxError, match="copy the zygote"):
        await bench.blank()
    running.say("still here")
    ran = await running.wait()
    assert (ran.output, ran.exit) == ("still here\n", Exit(code=7))
    await running.sandbox.destroy()


async def test_killed_at_any_moment_it_leaves_whole_sandboxes_or_none(bench: Workbench) -> None:
    """The fixture says whether something is left."""
    for pause in (0.0, 0.002, 0.005, 0.01, 0.02):
        await bench.copy_from()
        making = [asyncio.create_task(bench.blank()) for _ in range(4)]
        await asyncio.sleep(pause)
        os.kill(zygotes(bench)[0], signal.SIGKILL)
        made = await asyncio.gather(*making, return_exceptions=True)
        for sandbox in made:
            assert not isinstance(sandbox, BaseException) or isinstance(sandbox, SandboxError)
            if not isinstance(sandbox, BaseException):
                assert (await bench.python("print('runs')", sandbox=sandbox)).output == "runs\n"


async def test_one_destroyed_while_it_is_copied_is_gone(bench: Workbench) -> None:
    await bench.copy_from()
    making = [asyncio.create_task(bench.backend.create(bench.spec)) for _ in range(4)]
    await asyncio.sleep(0.003)
    for task in making:
        task.cancel()
    for task in making:
        with suppress(asyncio.CancelledError):
            await (await task).destroy()
    assert (await bench.python("print('runs')")).output == "runs\n"


async def test_memory_that_was_there_before_counts(bench: Workbench) -> None:
    await bench.copy_from(f"held = b'x' * (30 << 20)\n{WAITING}")
    sandbox = await bench.blank()
    if bench.backend.isolation.cgroup != "none":
        assert sandbox.memory_peak_bytes() > 30 << 20
    sandbox.limit_memory(64)
    ran = await bench.python(
        "import time; more = b'x' * (60 << 20); time.sleep(5); print('too much')", sandbox=sandbox
    )
    assert (ran.output, ran.exit) == ("", Exit(signal=9, out_of_memory=True))


@pytest.mark.parametrize("argv", [("/usr/bin/true",), ("/nothing/there",)])
async def test_one_that_never_waits_is_an_error(bench: Workbench, argv: tuple[str, ...]) -> None:
    with pytest.raises(SandboxError, match="has ended"):
        await bench.backend.open_zygote(bench.spec.root, Process(argv=argv, variables={}))
