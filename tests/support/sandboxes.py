"""Fixtures of the sandbox suites: an open backend, a root with the host's /usr, and a way to run Python inside.

For root the backend is `namespaces`, for others `userns`: tests/integration/sandbox/test_without_root.py runs the
suites as such a one."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio

from lambent import runtimes
from lambent.sandbox.namespace_sandbox import NamespaceSandbox
from lambent.sandbox.namespaces import NamespacesBackend
from lambent.sandbox.port import Bind, Exit, Process, Root, Sandbox, SandboxSpec, Zygote
from lambent.sandbox.userns import UsernsBackend

ROOT = Root(
    binds=(Bind(Path("/usr"), "/usr"),),
    links={"/bin": "usr/bin", "/lib": "usr/lib", "/lib64": "usr/lib64", "/sbin": "usr/sbin"},
    files={"/etc/passwd": "root:x:0:0:root:/:/bin/false\n"},
)
PYTHON = "/usr/bin/python3.11"
RUNTIME = Path(runtimes.__file__).parent / "python"
WAITING = """
import os, sys
sys.path.insert(0, "/var/runtime")
from lambent_runtime import zygote
zygote.be_copied(3, with_sdk=False)
line = b""
while not line.endswith(b"\\n"):
    line += os.read(0, 1)
exec(eval(line))
"""
"""A process to be copied, whose copies are told in the first line of their input what to run."""
UID_FIRST = 1_910_000_000 + os.getpid() % 10_000 * 1_000
"""Apart from the uids of other test runs on the same machine."""
UID_COUNT = 1_000
TIMEOUT_S = 20

AS_USER = "LAMBENT_TEST_AS_USER"
"""In the environment of a test run as an ordinary user that is meant to be one."""

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 and AS_USER not in os.environ,
    reason="the suites run as root, and as a user whom root makes",
)


@dataclass(frozen=True)
class Ran:
    exit: Exit
    output: str


@dataclass
class Workbench:
    """A backend, and what the tests do with it again and again."""

    backend: NamespacesBackend
    """Or the one made of it."""
    spec: SandboxSpec = field(default_factory=lambda: SandboxSpec(root=ROOT, tmp_mib=16))
    """With a zygote (`copy_from`), sandboxes are copies of it."""
    made: list[Sandbox] = field(default_factory=list)
    """By `blank`."""

    def holds(self, aspect: str) -> str:
        """ "yes", "partly" or "no": what the backend guarantees here."""
        return next(one.holds for one in self.backend.isolation.guarantees if one.aspect == aspect)

    async def copy_from(self, code: str = WAITING, root: Root = ROOT) -> Zygote:
        root = replace(root, binds=(*root.binds, Bind(RUNTIME, "/var/runtime")))
        process = Process(argv=(PYTHON, "-I", "-S", "-u", "-c", code), variables={})
        zygote = await asyncio.wait_for(self.backend.open_zygote(root, process), TIMEOUT_S)
        self.spec = replace(self.spec, root=root, zygote=zygote)
        return zygote

    async def blank(self, process: Process | None = None) -> Sandbox:
        spec = self.spec if process is None else replace(self.spec, zygote=None)
        sandbox = await asyncio.wait_for(self.backend.create(spec, process), TIMEOUT_S)
        self.made.append(sandbox)
        return sandbox

    async def clear(self) -> None:
        for sandbox in self.made:
            await sandbox.destroy()

    async def python(self, code: str, *, sandbox: Sandbox | None = None, binds: Sequence[Bind] = ()) -> Ran:
        """Runs Python code in a sealed sandbox to its end."""
        sandbox = sandbox or await self.blank()
        await sandbox.attach(binds)
        await sandbox.seal()
        running = await Running.start(sandbox, code)
        ran = await running.wait()
        await sandbox.destroy()
        return ran


class Running:
    """A Python process in a sandbox, with its output and a pipe to its standard input."""

    def __init__(self, sandbox: Sandbox, reader: asyncio.StreamReader, input_descriptor: int) -> None:
        self.sandbox = sandbox
        self._reader = reader
        self._input = input_descriptor

    @classmethod
    async def start(cls, sandbox: Sandbox, code: str) -> "Running":
        out_read, out_write = os.pipe()
        in_read, in_write = os.pipe()
        files = {0: in_read, 1: out_write, 2: out_write}
        try:
            await sandbox.start(
                Process(argv=(PYTHON, "-I", "-S", "-u", "-c", code), variables={}, files=files)
            )
        except BaseException:
            os.close(out_read)
            os.close(in_write)
            raise
        finally:
            os.close(in_read)
            os.close(out_write)
        if isinstance(sandbox, NamespaceSandbox) and sandbox.private_bytes_before:
            os.write(in_write, f"{code!r}\n".encode())  # to a copy, which executes nothing
        reader = asyncio.StreamReader(limit=1 << 24)
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(reader)
        await loop.connect_read_pipe(lambda: protocol, os.fdopen(out_read, "rb", buffering=0))
        return cls(sandbox, reader, in_write)

    async def line(self) -> str:
        return (await asyncio.wait_for(self._reader.readline(), TIMEOUT_S)).decode().rstrip("\n")

    def say(self, text: str) -> None:
        os.write(self._input, text.encode() + b"\n")

    async def wait(self) -> Ran:
        """Lets its input end, and waits for its end."""
        os.close(self._input)
        ended = await asyncio.wait_for(asyncio.shield(self.sandbox.exited), TIMEOUT_S)
        output = await asyncio.wait_for(self._reader.read(), TIMEOUT_S)
        return Ran(ended, output.decode())


def cgroups_of(instance: str) -> list[str]:
    """Not by pathlib's glob, which fails on groups of others that vanish meanwhile."""
    walked = (directory for directory, _, _ in os.walk("/sys/fs/cgroup"))
    return [directory for directory in walked if directory.endswith(f"/lambent/{instance}")]


def leftovers(state: Path, backend: NamespacesBackend) -> list[str]:
    """Whatever of this backend's sandboxes the kernel still has."""
    found = [f"cgroup {directory}" for directory in cgroups_of(backend.instance)]
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        if str(state) in _read(backing):
            found.append(f"loop device {backing}")
    for status in Path("/proc").glob("[0-9]*/status"):
        fields = dict(line.split(":", 1) for line in _read(status).splitlines())
        dead = "Z" in fields.get("State", "Z")  # what a killed spawner leaves for init to reap
        if not dead and _is_of(backend, int(fields["Uid"].split()[0]), fields["NSpid"].split()):
            found.append(f"process {status}")
    if str(state) in _read(Path("/proc/self/mounts")):
        found.append("mount")
    return found


def _is_of(backend: NamespacesBackend, uid: int, pids: list[str]) -> bool:
    """Whether a process, of which each pid namespace has its own pid, can only be of this backend."""
    if len(pids) == 1:
        return False
    if isinstance(backend, UsernsBackend):
        return any(first <= uid < first + count for _, first, count in backend._ids.uids)
    return UID_FIRST <= uid < UID_FIRST + UID_COUNT


def open_descriptors() -> dict[str, str]:
    return {
        entry.name: str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()
    }


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def new_backend(state: Path, *, uid_first: int = UID_FIRST) -> NamespacesBackend:
    if os.geteuid() != 0:
        return UsernsBackend(state)
    return NamespacesBackend(state, uid_first=uid_first, uid_count=UID_COUNT)


@asynccontextmanager
async def open_bench(state: Path) -> AsyncIterator[Workbench]:
    """Fails where its sandboxes left something behind."""
    backend = new_backend(state)
    await backend.open()
    yield Workbench(backend)
    await backend.close()
    left = leftovers(state, backend)
    assert not left, left


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    async with open_bench(tmp_path / "state") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workbench]:
    """For a module whose tests need no backend of their own, which takes longer to open than most tests run."""
    async with open_bench(tmp_path_factory.mktemp("sandboxes") / "state") as bench:
        yield bench


@pytest_asyncio.fixture(loop_scope="module")
async def shared_bench(opened: Workbench) -> AsyncIterator[Workbench]:
    own = Workbench(opened.backend, opened.spec)
    yield own
    await own.clear()
