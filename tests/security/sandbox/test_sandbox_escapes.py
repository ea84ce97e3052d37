"""Code inside a sealed sandbox tries to get out, or at its neighbours. Each attempt prints what it got."""
# The loop may wait for files: a test is alone on it.
# ruff: noqa: ASYNC221, ASYNC240

import asyncio
import contextlib
import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxes import Running, Workbench, needs_root

from lambent.sandbox.port import Bind

pytestmark = [needs_root, pytest.mark.asyncio(loop_scope="module")]

TRY = """
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(what):
    try:
        return repr(what())
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result
"""


async def tried(bench: Workbench, expression: str) -> str:
    """What the attempt got: an errno's name, or the repr of a success."""
    return (await bench.python(f"{TRY}print(attempt(lambda: {expression}))")).output.strip()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/root",
        "/home",
        "/proc/1/root/etc/passwd",
        "/proc/1/environ",
        "/proc/1/fd/3",
        "/proc/1/mem",
        "/proc/1/ns/mnt",
        "/proc/sys/kernel/core_pattern/",
        "/sys/kernel",
        "/sys/fs/cgroup",
        "/dev/vda",
        "/dev/kmsg",
        "/dev/loop-control",
        "/dev/loop0",
        "/dev/shm",
        "/dev/pts",
        "/run",
        "/var/run/docker.sock",
        "/../../../etc/shadow",
        "/proc/self/root/../etc/shadow",
        "/proc/self/cwd/../../etc/shadow",
    ],
)
async def test_hosts_files_are_out_of_reach(bench: Workbench, path: str) -> None:
    got = await tried(bench, f"os.open({path!r}, os.O_RDONLY)")
    assert got in ("ENOENT", "EACCES", "EPERM", "ENOTDIR")


@pytest.mark.parametrize(
    "path", ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/kallsyms", "/proc/kmsg"]
)
async def test_files_about_the_kernel_are_empty(bench: Workbench, path: str) -> None:
    assert await tried(bench, f"open({path!r}, 'rb').read()") in ("b''", "ENOENT", "EACCES")


@pytest.mark.parametrize(
    "path",
    [
        "/new",
        "/etc/passwd",
        "/usr/new",
        "/usr/bin/python3.11",
        "/dev/new",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/self/oom_score_adj",
        "/var/task/new",
        "/var/task/code.py",
        "/opt/new",
    ],
)
async def test_nothing_but_tmp_is_writable(bench: Workbench, tmp_path: Path, path: str) -> None:
    tmp_path.chmod(0o777)
    code = tmp_path / "code.py"
    code.write_text("original")
    code.chmod(0o666)
    sandbox = await bench.blank()
    attempt = (
        f"{TRY}print(attempt(lambda: os.write(os.open({path!r}, os.O_WRONLY | os.O_CREAT, 0o666), b'x')))"
    )
    ran = await bench.python(attempt, sandbox=sandbox, binds=[Bind(tmp_path, "/var/task")])
    assert ran.output.strip() in ("EROFS", "EACCES", "EPERM", "ENOENT")
    assert code.read_text() == "original"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mount", "165, b'none', b'/tmp', b'tmpfs', 0, None"),
        ("remount the root writable", "165, None, b'/', None, 32 | 4096, None"),
        ("unmount /proc/keys", "166, b'/proc/keys', 2"),
        ("pivot_root", "155, b'/tmp', b'/tmp'"),
        ("chroot", "161, b'/tmp'"),
        ("open_tree", "428, -100, b'/', 1"),
        ("fsopen", "430, b'tmpfs', 0"),
        ("move_mount", "429, -100, b'/', -100, b'/tmp', 0"),
        ("unshare the user namespace", "272, 0x10000000"),
        ("clone into a user namespace", "56, 0x10000011, None, None, None, 0"),
        ("setns", "308, 0, 0"),
        ("ptrace the supervisor", "101, 16, 1, 0, 0"),
        ("process_vm_readv of the supervisor", "310, 1, None, 0, None, 0, 0"),
        ("bpf", "321, 0, None, 0"),
        ("perf_event_open", "298, None, 0, -1, -1, 0"),
        ("userfaultfd", "323, 0"),
        ("keyctl", "250, 0, -3, 0"),
        ("add_key", "248, b'user', b'a', b'b', 1, -4"),
        ("open_by_handle_at", "304, -100, None, 0"),
        ("reboot", "169, 0xfee1dead, 672274793, 0, None"),
        ("init_module", "175, None, 0, b''"),
        ("kexec_load", "246, 0, 0, None, 0"),
        ("settimeofday", "164, None, None"),
        ("swapon", "167, b'/tmp/x', 0"),
        ("sethostname", "170, b'x', 1"),
        ("personality", "135, 0x0400000"),
        ("setuid 0", "105, 0"),
        ("setgid 0", "106, 0"),
        ("setgroups", "116, 0, None"),
        ("quotactl", "179, 0, None, 0, None"),
        ("TIOCSTI", "16, 0, 0x5412, b'x'"),
        ("iopl", "172, 3"),
    ],
)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
async def test_privileged_system_calls_are_refused(bench: Workbench, name: str, arguments: str) -> None:
    refusals = {"EPERM"}
    if bench.holds("processes") != "yes" and name in ("setuid 0", "setgid 0"):
        refusals = {"EINVAL"}  # there is no such id where there is only one
    assert await tried(bench, f"call({arguments})") in refusals, name


@pytest.mark.parametrize("arguments", ["435, None, 0", "425, 8, None", "470", "0x40000000 + 39"])
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
async def test_system_calls_nobody_looked_at_do_not_exist(bench: Workbench, arguments: str) -> None:
    assert await tried(bench, f"call({arguments})") == "ENOSYS"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="code for x86_64")
async def test_system_calls_of_another_architecture_kill(bench: Workbench) -> None:
    # int 0x80 with eax = 20: getpid, as a 32-bit program calls it; its numbers are not what the filter knows.
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("came back")
"""
    ran = await bench.python(code)
    assert (ran.exit.signal, ran.output) == (31, "")


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("socket.AF_INET, socket.SOCK_RAW, 1", "EPERM"),
        ("socket.AF_PACKET, socket.SOCK_RAW", "EAFNOSUPPORT"),
        ("socket.AF_VSOCK, socket.SOCK_STREAM", "EAFNOSUPPORT"),
        ("socket.AF_ALG, socket.SOCK_SEQPACKET", "EAFNOSUPPORT"),
        ("socket.AF_NETLINK, socket.SOCK_RAW, 12", "EAFNOSUPPORT"),
    ],
)
async def test_sockets_that_lead_elsewhere_cannot_be_made(
    bench: Workbench, arguments: str, answer: str
) -> None:
    assert await tried(bench, f"socket.socket({arguments})") == answer


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "8.8.8.8", "255.255.255.255"])
async def test_no_network_is_reachable(bench: Workbench, host: str) -> None:
    assert await tried(bench, f"socket.create_connection(({host!r}, 80), 2)") in ("ENETUNREACH", "EACCES")


async def test_hosts_loopback_is_not_ours(bench: Workbench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert await tried(bench, f"socket.create_connection({server.getsockname()}, 2)") == "ECONNREFUSED"


async def test_hosts_abstract_sockets_are_not_ours(bench: Workbench) -> None:
    name = f"\0lambent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        connect = f"socket.socket(socket.AF_UNIX).connect({name!r})"
        assert await tried(bench, connect) == "ECONNREFUSED"


async def test_device_nodes_cannot_be_made(bench: Workbench) -> None:
    assert await tried(bench, "os.mknod('/tmp/disk', 0o60666, os.makedev(7, 0))") == "EPERM"


async def test_devices_in_attached_code_do_not_work(bench: Workbench, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    try:
        os.mknod(tmp_path / "zero", 0o20666, os.makedev(1, 5))
    except PermissionError:
        assert os.geteuid() != 0, "only root can make any"
        return
    (tmp_path / "zero").chmod(0o666)
    sandbox = await bench.blank()
    code = f"{TRY}print(attempt(lambda: os.open('/var/task/zero', os.O_RDONLY)))"
    ran = await bench.python(code, sandbox=sandbox, binds=[Bind(tmp_path, "/var/task")])
    assert ran.output == "EACCES\n"


async def test_setuid_programs_give_nothing(bench: Workbench, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    program = tmp_path / "id"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o6755)  # owned by root
    sandbox = await bench.blank()
    code = "import subprocess; print(subprocess.check_output(['/var/task/id', '-u']).decode())"
    ran = await bench.python(code, sandbox=sandbox, binds=[Bind(tmp_path, "/var/task")])
    assert int(ran.output) >= 1000


async def test_chroot_escape_fails_at_its_first_step(bench: Workbench) -> None:
    assert await tried(bench, "(os.mkdir('/tmp/a'), os.chroot('/tmp/a'))") == "EPERM"


async def test_supervisor_cannot_be_signalled(bench: Workbench) -> None:
    """Where all are one user, it may be, but pid 1 does not mind."""
    refusal = "EPERM" if bench.holds("processes") == "yes" else "None"
    assert await tried(bench, "os.kill(1, 9)") == refusal
    ran = await bench.python("import os\ntry: os.kill(1, 9)\nexcept OSError: pass\nprint('on')")
    assert (ran.output, ran.exit.code) == ("on\n", 0)


async def test_no_capability_and_no_way_to_one(bench: Workbench) -> None:
    status = (await bench.python("print(open('/proc/self/status').read())")).output
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert [int(fields[name], 16) for name in sets] == [0] * 5
    assert (fields["NoNewPrivs"], fields["Seccomp"], fields["Groups"].strip()) == ("1", "2", "")


def signals(bench: Workbench) -> bool:
    """Whether supervisors freeze what is in their pid namespace, for want of control groups."""
    return bench.backend.isolation.cgroup == "none"


def supervisors(bench: Workbench) -> list[str]:
    """Pids of those that are alone in a pid namespace with what they started: a zygote is not."""
    spawner = bench.backend.spawner_pid
    children = Path(f"/proc/{spawner}/task/{spawner}/children").read_text().split()
    return [pid for pid in children if status_of(pid)["NSpid"].split()[1:] == ["1"]]


def status_of(pid: str) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


async def test_sealed_supervisor_has_no_privilege_left(bench: Workbench) -> None:
    sandbox = await bench.blank()
    running = await Running.start(sandbox, "print('up'); input()")
    assert await running.line() == "up"
    (supervisor,) = supervisors(bench)
    await sandbox.seal()
    fields = status_of(supervisor)
    assert int(fields["CapBnd"], 16) == 0
    assert int(fields["CapPrm"], 16) == (1 << 5 if signals(bench) else 0)  # kill
    assert 0 not in map(int, fields["Uid"].split())
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
    await running.wait()
    await sandbox.destroy()


async def test_unsealed_supervisor_can_only_mount_and_become_nobody(bench: Workbench) -> None:
    sandbox = await bench.blank()
    (supervisor,) = supervisors(bench)
    fields = status_of(supervisor)
    and_signalling = 1 << 5 | 1 << 24 if signals(bench) else 0  # kill, sys_resource
    assert (
        int(fields["CapPrm"], 16) == 1 << 6 | 1 << 7 | 1 << 21 | and_signalling
    )  # setgid, setuid, sys_admin
    assert int(fields["CapBnd"], 16) == 0
    assert fields["Seccomp"] == "2"
    await sandbox.destroy()


async def test_supervisor_holds_no_descriptor_of_the_server_or_of_neighbours(bench: Workbench) -> None:
    sandboxes = [await bench.blank() for _ in range(3)]
    found = supervisors(bench)
    assert len(found) == 3
    # The process's pidfd, its own line to the server, and one to the process.
    expected = ["anon_inode", "socket", "socket"]
    for supervisor in found:
        async with asyncio.timeout(10):  # it closes its listeners when it has told that it is ready
            while (kinds := kinds_of_descriptors(supervisor)) != expected:
                assert len(kinds) >= len(expected)
                await asyncio.sleep(0.01)
    for sandbox in sandboxes:
        await sandbox.destroy()


def kinds_of_descriptors(pid: str) -> list[str]:
    """Above the standard ones."""
    kinds: list[str] = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        if int(descriptor.name) > 2:
            with contextlib.suppress(FileNotFoundError):  # closed just now
                kinds.append(str(descriptor.readlink()).split(":")[0])
    return sorted(kinds)


async def test_neighbours_see_nothing_of_each_other(bench: Workbench) -> None:
    first = await bench.blank()
    running = await Running.start(first, "open('/tmp/secret', 'w').write('x'); print('written'); input()")
    await first.seal()
    assert await running.line() == "written"
    seen = "(os.listdir('/tmp'), sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))"
    assert await tried(bench, seen) == "([], [1, 2])"
    await running.wait()
    await first.destroy()


async def test_neighbours_are_different_users(bench: Workbench) -> None:
    code = "import os; print(os.getuid(), os.getgid()); input()"
    both = [await Running.start(await bench.blank(), code) for _ in range(2)]
    first, second = [await running.line() for running in both]
    assert (first != second) is (bench.holds("processes") == "yes")
    for running in both:
        await running.wait()
        await running.sandbox.destroy()


async def test_ipc_of_the_host_is_not_ours(bench: Workbench) -> None:
    made = subprocess.run(["ipcmk", "-M", "4096", "-p", "0666"], capture_output=True, text=True, check=True)
    number = made.stdout.split()[-1]
    try:
        assert await tried(bench, f"libc.shmat({number}, None, 0)") == "-1"
    finally:
        subprocess.run(["ipcrm", "-m", number], check=True)


async def test_crash_leaves_no_core(bench: Workbench) -> None:
    limit = await bench.python("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))")
    assert limit.output == "(1, 1)\n"


async def test_disk_behind_tmp_is_not_readable_by_users(bench: Workbench) -> None:
    disk = bench.backend._state_directory / "lambent-scratch"
    assert disk.stat().st_mode & 0o077 == 0 if bench.backend.name == "namespaces" else not disk.exists()


async def test_thread_and_process_limits_hold_for_each_sandbox_alone(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, processes_max=20)
    code = "import os, time\nfor _ in range(18):\n  if os.fork() == 0: time.sleep(60)\nprint('full'); input()"
    both = [await Running.start(await bench.blank(), code) for _ in range(2)]
    assert await asyncio.gather(*(running.line() for running in both)) == ["full", "full"]
    for running in both:
        os.close(running._input)
        await running.sandbox.destroy()
