"""`lambent doctor`: what it says, and its exit status, from parts that are made up."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lambent.cli import diagnosis as diagnosis_module
from lambent.cli import doctor as doctor_module
from lambent.cli import run
from lambent.cli.diagnosis import Diagnosis, Images, Trial, try_isolation
from lambent.cli.doctor import as_document, render
from lambent.cli.host import DataDirectory, Host, Limit, examine_data_directory, examine_host, examine_limits
from lambent.cli.runtimes import RuntimeRow
from lambent.sandbox import guarantees
from lambent.sandbox.port import Isolation, Process, Root, SandboxError, SandboxSpec
from lambent.sandbox.probe import Check

ISOLATION = Isolation(backend="namespaces", guarantees=guarantees.NAMESPACES, missing=(), cgroup="v2")
HOST = Host(
    kernel="Linux 6.1.0",
    machine="x86_64",
    distribution="Debian [12]",
    cores=4,
    memory_bytes=8 << 30,
    memory_available_bytes=4 << 30,
)
PYTHON = RuntimeRow(
    identifier="python3.11",
    managed=True,
    version="3.11.2",
    interpreter="/usr/bin/python3.11",
    reason=None,
    command=None,
    closed=False,
)
CUSTOM = replace(PYTHON, identifier="provided.al2023", managed=False, version="", interpreter=None)
HEALTHY = Diagnosis(
    host=HOST,
    trial=Trial(isolation=ISOLATION, refusal=None),
    checks=(Check("kernel", True, "Linux 6.1.0"), Check("cgroups", True, "v2")),
    limits=(Limit(name="memory", detail="4.0 GiB available", environments=32, mend="add memory"),),
    runtimes=(PYTHON, CUSTOM),
    data=DataDirectory(path=Path("/srv/lambent"), server_pid=None, free_bytes=5 << 30, problem=None),
    images=Images(skopeo="/usr/bin/skopeo", sources=("public.ecr.aws",)),
)


def said(diagnosis: Diagnosis) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    render(diagnosis, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_says_all_that_is_in_force() -> None:
    text = said(HEALTHY)
    for fact in (
        "Linux 6.1.0 on x86_64, Debian [12]",
        "8.0 GiB, 4.0 GiB available",
        "namespaces: a sandbox was made here",
        "system call filter",
        "✓  cgroups  v2",
        "32  4.0 GiB available",
        "To raise the first: add memory",
        "python3.11",
        "/usr/bin/python3.11",
        "/srv/lambent  5.0 GiB free; no server uses it",
        "of elsewhere  by /usr/bin/skopeo, from public.ecr.aws",
        "a backend that is to come: one of a single instruction ran here",
        "Functions can run here, isolated.",
    ):
        assert fact in text
    assert "✗" not in text
    assert "mends" not in text


def test_says_what_is_missing_and_the_command_that_mends_it() -> None:
    ill = replace(
        HEALTHY,
        trial=Trial(isolation=ISOLATION, refusal="isolating functions needs root"),
        checks=(Check("root", False, "running as uid 1000", "sudo lambent start"),),
        runtimes=(replace(PYTHON, version=None, interpreter=None), CUSTOM),
        data=replace(HEALTHY.data, problem="/srv may not be written: choose another with --data-dir"),
        images=Images(sources=("public.ecr.aws",)),
    )
    text = said(ill)
    assert "to fetch those of public.ecr.aws\n    apt-get install skopeo\n" in text
    assert "no sandbox could be made: isolating functions needs root" in text
    assert "✗  root  running as uid 1000" in text
    assert "root: running as uid 1000\n    sudo lambent start\n" in text
    assert "data directory: /srv may not be written\n    choose another with --data-dir\n" in text
    assert "runtimes: no Python or Node.js was found\n    apt-get install python3 nodejs\n" in text
    assert "Functions cannot run here yet." in text
    assert not ill.healthy


@pytest.mark.parametrize(
    ("change", "healthy"),
    [
        ({}, True),
        ({"trial": Trial(isolation=ISOLATION, refusal="no")}, False),
        ({"data": replace(HEALTHY.data, problem="full: make room")}, False),
        # What only weakens or only worries does not prevent functions from running.
        ({"checks": (Check("/tmp on disk", False, "no loop devices", "modprobe loop"),)}, True),
        ({"runtimes": (CUSTOM,)}, True),
    ],
)
def test_the_exit_status_is_whether_functions_can_run(
    change: dict[str, object],
    healthy: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor_module, "diagnose", lambda settings: replace(HEALTHY, **change))  # type: ignore[arg-type]
    assert run(["doctor", "--json"]) == (0 if healthy else 1)
    document = json.loads(capsys.readouterr().out)
    assert document["healthy"] is healthy
    assert document["data"]["path"] == "/srv/lambent"


def test_json_has_every_want() -> None:
    ill = replace(HEALTHY, checks=(Check("kernel", False, "Linux 4.9", "run Linux 5.14 or newer"),))
    assert as_document(ill)["wants"] == [{"missing": "kernel: Linux 4.9", "mend": "run Linux 5.14 or newer"}]


class FakeSandbox:
    def __init__(self, backend: "FakeBackend") -> None:
        self._backend = backend

    async def seal(self) -> None:
        self._backend.did.append("seal")

    async def destroy(self) -> None:
        self._backend.did.append("destroy")


class FakeBackend:
    """Fails in `fails`, remembers what it did."""

    def __init__(self, fails: str = "") -> None:
        self.isolation = ISOLATION
        self.did: list[str] = []
        self._fails = fails

    async def open(self) -> None:
        self._do("open")

    async def create(self, spec: SandboxSpec, process: Process | None = None) -> FakeSandbox:
        self._do("create")
        return FakeSandbox(self)

    async def close(self) -> None:
        self._do("close")

    def _do(self, name: str) -> None:
        self.did.append(name)
        if name == self._fails:
            raise SandboxError(f"{name}: Operation not permitted")


@pytest.mark.parametrize(
    ("fails", "refusal", "did"),
    [
        ("", None, ["open", "create", "seal", "destroy", "close"]),
        ("open", "open: Operation not permitted", ["open", "close"]),
        ("create", "create: Operation not permitted", ["open", "create", "close"]),
    ],
)
async def test_tries_one_sandbox_and_cleans_up(fails: str, refusal: str | None, did: Sequence[str]) -> None:
    backend = FakeBackend(fails)
    trial = await try_isolation(backend, Root(binds=()))  # type: ignore[arg-type]
    assert trial == Trial(isolation=ISOLATION, refusal=refusal)
    assert backend.did == did


def test_reads_the_host_from_proc(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  2048 kB\nMemAvailable:  1024 kB\nHugePages_Total: 0\n")
    (tmp_path / "os-release").write_text('NAME=x\n\nPRETTY_NAME="Some Linux 1"\n')
    host = examine_host(proc=tmp_path, etc=tmp_path)
    assert (host.memory_bytes, host.memory_available_bytes) == (2048 * 1024, 1024 * 1024)
    assert host.distribution == "Some Linux 1"
    assert examine_host(proc=tmp_path, etc=tmp_path / "missing").distribution == "unknown"


def test_the_tightest_limit_comes_first(tmp_path: Path) -> None:
    for path, number in (
        ("kernel/pid_max", 400),
        ("kernel/threads-max", 9000),
        ("user/max_net_namespaces", 7),
    ):
        (tmp_path / "sys" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys" / path).write_text(f"{number}\n")
    limits = examine_limits(HOST, uid_count=101, proc=tmp_path)
    by_name = {limit.name: limit.environments for limit in limits}
    assert by_name["network namespaces"] == 7
    assert by_name["processes"] == 200
    assert by_name["sandbox users"] == 100
    assert by_name["memory"] == 32
    assert limits[0].name == "network namespaces"
    assert [limit.environments for limit in limits] == sorted(by_name.values())


def test_a_data_directory_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert examine_data_directory(tmp_path / "new" / "one", None).problem is None
    problem = examine_data_directory(file / "data", 7).problem
    assert problem == f"{file} is not a directory: choose another with --data-dir"


def test_too_little_room_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambent.cli.host._GIB", 1 << 80)
    problem = examine_data_directory(tmp_path, None).problem
    assert problem is not None
    assert "make room" in problem


def test_refuses_bad_settings_as_start_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--uid-count", "x"]) == 2
    assert "--uid-count must be a whole number" in capsys.readouterr().err


def test_split_keeps_colons_of_what_is_wrong() -> None:
    assert diagnosis_module._split("a: b: do this") == ("a: b", "do this")
