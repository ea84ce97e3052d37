"""What every sandbox does from create to destroy."""
# The loop may wait for files: a test is alone on it.
# ruff: noqa: ASYNC230, ASYNC240, PTH123

import asyncio
import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxes import PYTHON, ROOT, Running, Workbench, needs_root

from lambent.sandbox.port import Bind, Exit, Process, Root, Sandbox, SandboxError, SandboxSpec, StartError

pytestmark = [needs_root, pytest.mark.asyncio(loop_scope="module")]


async def test_process_given_at_create_runs(bench: Workbench) -> None:
    sandbox = await bench.blank(Process(argv=(PYTHON, "-c", "raise SystemExit(7)"), variables={}))
    assert await sandbox.exited == Exit(code=7)
    await sandbox.destroy()


@pytest.mark.parametrize("code", [0, 1, 255])
async def test_exit_code_is_reported(bench: Workbench, code: int) -> None:
    assert (await bench.python(f"raise SystemExit({code})")).exit == Exit(code=code)


@pytest.mark.parametrize("name", ["SIGABRT", "SIGKILL", "SIGSEGV", "SIGTERM"])
async def test_signal_that_ended_the_process_is_reported(bench: Workbench, name: str) -> None:
    ran = await bench.python(f"import os, signal; os.kill(os.getpid(), signal.{name})")
    assert ran.exit == Exit(signal=signal.Signals[name])


async def test_no_signal_is_ignored_at_start(bench: Workbench) -> None:
    ran = await bench.python("print(open('/proc/self/status').read())")
    ignored = next(int(line.split()[1], 16) for line in ran.output.splitlines() if line.startswith("SigIgn:"))
    by_python = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1
    assert ignored == by_python


async def test_more_roots_than_are_kept(bench: Workbench) -> None:
    """One that was not asked for for long is made again, and whoever is in it has it meanwhile."""
    first = await Running.start(await blank_in(bench, "first"), "input(); print(open('/etc/name').read())")
    for number in range(70):
        await (await blank_in(bench, str(number))).destroy()
    first.say("")
    assert (await first.wait()).output == "first\n"
    again = await bench.python("print(open('/etc/name').read())", sandbox=await blank_in(bench, "first"))
    assert again.output == "first\n"
    await first.sandbox.destroy()


async def blank_in(bench: Workbench, name: str) -> Sandbox:
    root = replace(ROOT, files={**ROOT.files, "/etc/name": name})
    return await bench.backend.create(SandboxSpec(root=root))


async def test_variables_are_the_whole_environment(bench: Workbench) -> None:
    out_read, out_write = os.pipe()
    process = Process(
        argv=("/usr/bin/env",), variables={"A": "1", "EMPTY": "", "U": "ü"}, files={1: out_write}
    )
    sandbox = await bench.blank(process)
    await sandbox.exited
    os.close(out_write)
    with open(out_read, "rb") as output:
        assert output.read().decode().splitlines() == ["A=1", "EMPTY=", "U=ü"]
    await sandbox.destroy()


async def test_descriptors_are_those_given_and_no_other(bench: Workbench) -> None:
    code = "import os; os.write(9, repr(sorted(map(int, os.listdir('/proc/self/fd')))).encode()); os.write(5, b'five')"
    nine_read, nine_write = os.pipe()
    five_read, five_write = os.pipe()
    files = {9: nine_write, 5: five_write}
    sandbox = await bench.blank(Process(argv=(PYTHON, "-I", "-S", "-c", code), variables={}, files=files))
    assert await sandbox.exited == Exit(code=0)
    listing = 3  # the descriptor of the listing itself
    assert os.read(nine_read, 100).decode() == repr(sorted([0, 1, 2, 5, 9, listing]))
    assert os.read(five_read, 100) == b"five"
    for descriptor in (nine_read, nine_write, five_read, five_write):
        os.close(descriptor)  # they stayed open here
    await sandbox.destroy()


async def test_descriptors_may_swap_numbers(bench: Workbench) -> None:
    read, write = os.pipe()
    sandbox = await bench.blank()
    code = f"import os; os.write({read}, b'swapped')"
    process = Process(argv=(PYTHON, "-I", "-S", "-c", code), variables={}, files={read: write, write: read})
    await sandbox.start(process)
    assert await sandbox.exited == Exit(code=0)
    assert os.read(read, 100) == b"swapped"
    os.close(read)
    os.close(write)
    await sandbox.destroy()


async def test_directory_is_where_the_process_starts(bench: Workbench) -> None:
    sandbox = await bench.blank()
    code = "import os; raise SystemExit(os.getcwd() != '/var/task')"
    await sandbox.start(Process(argv=(PYTHON, "-c", code), variables={}, directory="/var/task"))
    assert await sandbox.exited == Exit(code=0)
    await sandbox.destroy()


@pytest.mark.parametrize(
    ("argv", "directory", "number"),
    [
        ("/no/such/program", "/", errno.ENOENT),
        ("/etc/passwd", "/", errno.EACCES),
        (PYTHON, "/no/such/directory", errno.ENOENT),
    ],
)
async def test_what_cannot_be_executed_raises_its_errno(
    bench: Workbench, argv: str, directory: str, number: int
) -> None:
    sandbox = await bench.blank()
    with pytest.raises(StartError, match=argv if directory == "/" else directory) as raised:
        await sandbox.start(Process(argv=(argv,), variables={}, directory=directory))
    assert raised.value.errno == number
    await sandbox.destroy()


async def test_failed_start_at_create_leaves_nothing(bench: Workbench) -> None:
    with pytest.raises(StartError):
        await bench.blank(Process(argv=("/no/such/program",), variables={}))


async def test_second_start_is_refused(bench: Workbench) -> None:
    sandbox = await bench.blank(Process(argv=("/usr/bin/sleep", "60"), variables={}))
    with pytest.raises(SandboxError, match="once"):
        await sandbox.start(Process(argv=("/usr/bin/sleep", "60"), variables={}))
    await sandbox.destroy()


async def test_code_attached_to_a_running_blank_is_seen(bench: Workbench, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "handler.py").write_text("print('hello')")
    sandbox = await bench.blank()
    running = await Running.start(sandbox, "input(); exec(open('/var/task/handler.py').read())")
    await sandbox.attach([Bind(tmp_path, "/var/task"), Bind(Path("/etc"), "/opt")])
    await sandbox.seal()
    running.say("go")
    assert await running.line() == "hello"
    assert (await running.wait()).exit == Exit(code=0)
    await sandbox.destroy()


async def test_executable_may_lie_in_attached_code(bench: Workbench, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_text("#!/bin/sh\nexit 3\n")
    bootstrap.chmod(0o755)
    sandbox = await bench.blank()
    await sandbox.attach([Bind(tmp_path, "/var/task")])
    await sandbox.seal()
    await sandbox.start(Process(argv=("/var/task/bootstrap",), variables={}))
    assert await sandbox.exited == Exit(code=3)
    await sandbox.destroy()


@pytest.mark.parametrize(
    ("source", "target"),
    [("/no/such/source", "/var/task"), ("/usr", "/no/such/target"), ("/usr", "/etc/passwd")],
)
async def test_attach_of_what_is_not_there_raises(bench: Workbench, source: str, target: str) -> None:
    sandbox = await bench.blank()
    with pytest.raises(SandboxError, match="attach"):
        await sandbox.attach([Bind(Path(source), target)])
    await sandbox.attach([Bind(Path("/usr"), "/var/task")])  # the sandbox is none the worse
    await sandbox.destroy()


async def test_attach_after_seal_is_refused(bench: Workbench) -> None:
    sandbox = await bench.blank()
    await sandbox.seal()
    await sandbox.seal()
    with pytest.raises(SandboxError, match="sealed"):
        await sandbox.attach([Bind(Path("/usr"), "/var/task")])
    with pytest.raises(SandboxError, match="sealed"):
        await sandbox.resize_tmp(32)
    await sandbox.destroy()


async def test_attach_to_an_ended_sandbox_raises(bench: Workbench) -> None:
    sandbox = await bench.blank(Process(argv=("/usr/bin/true",), variables={}))
    await sandbox.exited
    with pytest.raises(SandboxError, match="ended"):
        await sandbox.attach([Bind(Path("/usr"), "/var/task")])
    await sandbox.destroy()


async def test_everything_inside_ends_with_the_process(bench: Workbench) -> None:
    code = "import os, time\nif os.fork() == 0:\n  os.setsid(); print('child', flush=True); time.sleep(60)\ninput()"
    sandbox = await bench.blank()
    running = await Running.start(sandbox, code)
    assert await running.line() == "child"
    ran = await running.wait()  # reads to the end: the child holds the pipe, too
    assert ran.exit == Exit(code=1)
    await sandbox.destroy()


async def test_orphans_are_reaped(bench: Workbench) -> None:
    code = """
import os, time
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
for _ in range(20):
    os.wait()
time.sleep(0.2)
print(len([p for p in os.listdir('/proc') if p.isdigit()]))
"""
    assert (await bench.python(code)).output == "2\n"


async def test_destroy_ends_what_runs(bench: Workbench) -> None:
    sandbox = await bench.blank(Process(argv=("/usr/bin/sleep", "60"), variables={}))
    await sandbox.seal()
    await sandbox.destroy()
    assert sandbox.exited.result() == Exit()
    await sandbox.destroy()


async def test_concurrent_destroys_are_one(bench: Workbench) -> None:
    sandbox = await bench.blank()
    await asyncio.gather(sandbox.destroy(), sandbox.destroy(), sandbox.destroy())


async def test_cancelled_destroy_is_finished(bench: Workbench) -> None:
    sandbox = await bench.blank(Process(argv=("/usr/bin/sleep", "60"), variables={}))
    destroying = asyncio.ensure_future(sandbox.destroy())
    await asyncio.sleep(0)
    destroying.cancel()
    await sandbox.destroy()
    assert sandbox.exited.done()


async def test_cancelled_create_leaves_nothing(bench: Workbench) -> None:
    await bench.blank()
    for delay_ms in (0, 1, 2, 4, 8):
        creating = asyncio.ensure_future(bench.blank())
        await asyncio.sleep(delay_ms / 1000)
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)


@pytest.mark.asyncio(loop_scope="function")
async def test_close_destroys_every_sandbox(own_bench: Workbench) -> None:
    sandboxes = [
        await own_bench.blank(Process(argv=("/usr/bin/sleep", "60"), variables={})) for _ in range(3)
    ]
    await own_bench.backend.close()
    assert all(sandbox.exited.done() for sandbox in sandboxes)
    with pytest.raises(SandboxError, match="not open"):
        await own_bench.blank()


async def test_sandboxes_may_be_made_fifty_at_a_time(bench: Workbench) -> None:
    process = Process(argv=("/usr/bin/sleep", "60"), variables={})
    sandboxes = await asyncio.gather(*(bench.blank(process) for _ in range(50)))
    assert len({sandbox.id for sandbox in sandboxes}) == 50
    await asyncio.gather(*(sandbox.destroy() for sandbox in sandboxes))


async def test_hostname_is_the_specs(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, hostname="inside")
    assert (await bench.python("import socket; print(socket.gethostname())")).output == "inside\n"


async def test_root_that_cannot_be_made_names_the_step(bench: Workbench) -> None:
    broken = Root(binds=(Bind(Path("/no/such/directory"), "/usr"),))
    for _ in range(2):
        with pytest.raises(SandboxError, match="show /no/such/directory at /usr"):
            await bench.backend.create(SandboxSpec(root=broken))


async def test_roots_do_not_mix(bench: Workbench) -> None:
    other = replace(ROOT, files={"/etc/release": "other"}, mount_points=("/a/b",))
    bench.spec = replace(bench.spec, root=other)
    ran = await bench.python(
        "import os; print(os.listdir('/etc'), open('/etc/release').read(), os.listdir('/a'))"
    )
    assert ran.output == "['release'] other ['b']\n"
    bench.spec = replace(bench.spec, root=ROOT)
    assert (await bench.python("import os; print(os.listdir('/etc'))")).output == "['passwd']\n"


async def test_address_in_use_inside_fails_create(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, listen=(("127.0.0.1", 9001), ("127.0.0.1", 9001)))
    with pytest.raises(SandboxError, match=r"listen on 127\.0\.0\.1:9001: Address already in use"):
        await bench.blank()


async def test_isolation_says_what_holds(bench: Workbench) -> None:
    isolation = bench.backend.isolation
    held = {guarantee.aspect: guarantee.holds for guarantee in isolation.guarantees}
    assert {held[aspect] for aspect in ("filesystem", "network", "privileges", "ending")} == {"yes"}
    if isolation.backend == "namespaces":
        assert isolation.cgroup in ("v1", "v2", "hybrid")
        assert {holds for aspect, holds in held.items() if aspect != "disk"} == {"yes"}
    else:
        assert isolation.backend == "userns"
        assert (isolation.cgroup == "none") == (held["cpu"] == "no") == bool(isolation.missing)
