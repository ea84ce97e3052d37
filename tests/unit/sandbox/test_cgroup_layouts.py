"""Finding the layout, and limiting, on directories that only look like cgroups."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambent.sandbox import cgroup_detection
from lambent.sandbox.cgroup import CgroupTree
from lambent.sandbox.cgroup_detection import CgroupMissingError, detect_layout, find_tree
from lambent.sandbox.cgroup_v1 import V1Cgroup
from lambent.sandbox.cgroup_v2 import V2Cgroup


class FakeMachine:
    """A /proc that tells of hierarchies below `tmp_path`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.proc = directory / "proc"
        (self.proc / "self").mkdir(parents=True)
        self._mounts: list[str] = ["22 1 0:21 / /proc rw - proc proc rw"]
        self._groups: list[str] = []
        self._write()

    def v1(self, *controllers: str, group: str = "/", mount_root: str = "/") -> Path:
        names = ",".join(controllers)
        root = self.directory / names
        (root / group.lstrip("/")).mkdir(parents=True)
        self._mounts.append(f"30 22 0:30 {mount_root} {root} rw shared:9 - cgroup cgroup rw,{names}")
        self._groups.append(f"{len(self._groups) + 1}:{names}:{group}")
        self._write()
        return root

    def v2(self, available: str, group: str = "/") -> Path:
        root = self.directory / "unified"
        for directory in (root, root / group.lstrip("/")):
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "cgroup.subtree_control").write_text("")
        (root / "cgroup.controllers").write_text(available)
        self._mounts.append(f"31 22 0:31 / {root} rw - cgroup2 cgroup2 rw,nsdelegate")
        self._groups.append(f"0::{group}")
        self._write()
        return root

    def _write(self) -> None:
        (self.proc / "self/mountinfo").write_text("\n".join(self._mounts) + "\n")
        (self.proc / "self/cgroup").write_text("\n".join(self._groups) + "\n")


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def add_v1(machine: FakeMachine, controllers: Sequence[str]) -> None:
    for controller in controllers:
        machine.v1(controller)


@pytest.mark.parametrize(
    ("v1", "v2", "layout"),
    [
        ((), None, "none"),
        ((), "memory cpu", "none"),
        ((), "cpuset cpu io memory pids", "v2"),
        (("memory", "cpu", "pids", "freezer"), None, "v1"),
        (("memory", "cpu", "pids"), None, "none"),
        (("memory", "cpu", "pids"), "hugetlb", "hybrid"),
        (("memory", "cpu"), "", "none"),
    ],
)
def test_layout(machine: FakeMachine, v1: tuple[str, ...], v2: str | None, layout: str) -> None:
    add_v1(machine, v1)
    if v2 is not None:
        machine.v2(v2)
    assert detect_layout(machine.proc) == layout


def test_no_layout_raises_what_is_missing(machine: FakeMachine) -> None:
    with pytest.raises(CgroupMissingError, match="memory, cpu, pids"):
        find_tree("one", machine.proc)


def test_v1_tree_lies_below_the_servers_own_groups(machine: FakeMachine) -> None:
    memory = machine.v1("memory", group="/service/lambent")
    both = machine.v1("cpu", "cpuacct")
    pids = machine.v1("pids")
    freezer = machine.v1("freezer")
    tree = find_tree("one", machine.proc)
    assert tree.v1 == {
        "memory": f"{memory}/service/lambent/lambent/one",
        "cpu": f"{both}/lambent/one",
        "pids": f"{pids}/lambent/one",
        "freezer": f"{freezer}/lambent/one",
    }
    assert tree.v2 is None


def test_container_that_sees_part_of_a_hierarchy(machine: FakeMachine) -> None:
    memory = machine.v1("memory", mount_root="/docker/abc")
    add_v1(machine, ("cpu", "pids", "freezer"))
    lines = (machine.proc / "self/cgroup").read_text().replace("1:memory:/", "1:memory:/docker/abc")
    (machine.proc / "self/cgroup").write_text(lines)
    assert find_tree("one", machine.proc).v1["memory"] == f"{memory}/lambent/one"


def test_hybrid_freezes_in_v2_and_limits_in_v1(machine: FakeMachine) -> None:
    add_v1(machine, ("memory", "cpu", "pids", "freezer"))
    unified = machine.v2("hugetlb")
    tree = find_tree("one", machine.proc)
    assert tree.v2 == f"{unified}/lambent/one"
    assert "freezer" not in tree.v1
    prepared(tree)
    group = V1Cgroup(tree, "box")
    group.freeze()
    assert (unified / "lambent/one/box/cgroup.freeze").read_text() == "1"
    group.thaw()
    assert (unified / "lambent/one/box/cgroup.freeze").read_text() == "0"
    group.close()


def test_v2_hands_the_controllers_down(machine: FakeMachine) -> None:
    unified = machine.v2("cpu memory pids", group="/system.slice/lambent.service")
    tree = find_tree("one", machine.proc)
    assert tree.v2 == f"{unified}/system.slice/lambent.service/lambent/one"
    # A real write adds one controller; a file keeps the last.
    assert (unified / "system.slice/lambent.service/cgroup.subtree_control").read_text() == "+pids"


def test_v2_falls_back_to_the_root(machine: FakeMachine) -> None:
    unified = machine.v2("cpu memory pids", group="/session")
    (unified / "session/cgroup.subtree_control").unlink()
    assert find_tree("one", machine.proc).v2 == f"{unified}/lambent/one"


def test_v2_without_delegation_raises(machine: FakeMachine) -> None:
    unified = machine.v2("cpu memory pids")
    (unified / "cgroup.subtree_control").unlink()
    with pytest.raises(CgroupMissingError, match="cannot enable cgroup controllers"):
        find_tree("one", machine.proc)


def prepared(tree: CgroupTree, **files: str) -> None:
    tree.prepare()
    tree.create("box")
    for base in tree.bases:
        for name, text in ({"memory.max_usage_in_bytes": "4096\n", "memory.peak": "4096\n"} | files).items():
            Path(base, "box", name).write_text(text)


@pytest.fixture
def v1(tmp_path: Path) -> CgroupTree:
    bases = {name: str(tmp_path / name / "lambent/one") for name in ("memory", "cpu", "pids", "freezer")}
    tree = CgroupTree("v1", bases, None)
    prepared(tree)
    return tree


@pytest.fixture
def v2(tmp_path: Path) -> CgroupTree:
    tree = CgroupTree("v2", {}, str(tmp_path / "unified/lambent/one"))
    prepared(tree)
    return tree


@pytest.mark.parametrize(("before", "first"), [(1 << 40, "memory.limit"), (1 << 20, "memory.memsw")])
def test_v1_memory_is_widened_from_outside_and_narrowed_from_inside(
    v1: CgroupTree, before: int, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Path(v1.v1["memory"], "box")
    (box / "memory.memsw.limit_in_bytes").write_text(str(before))
    order: list[str] = []
    monkeypatch.setattr("lambent.sandbox.cgroup_v1.write", lambda path, _value: order.append(Path(path).name))
    group = V1Cgroup(v1, "box")
    group.limit_memory(128 << 20)
    group.close()
    assert len(order) == 2
    assert order[0].startswith(first)


def test_v1_without_swap_accounting_turns_swap_off(v1: CgroupTree) -> None:
    group = V1Cgroup(v1, "box")
    group.limit_memory(1 << 27)
    group.close()
    box = Path(v1.v1["memory"], "box")
    assert (box / "memory.limit_in_bytes").read_text() == str(1 << 27)
    assert (box / "memory.swappiness").read_text() == "0"


def test_v1_files(v1: CgroupTree) -> None:
    memory, cpu, pids, freezer = (Path(v1.v1[name], "box") for name in ("memory", "cpu", "pids", "freezer"))
    (cpu / "cpu.cfs_burst_us").write_text("7")
    (memory / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    group = V1Cgroup(v1, "box")
    group.limit_cpu(0.25)
    assert (cpu / "cpu.cfs_quota_us").read_text() == (cpu / "cpu.cfs_burst_us").read_text() == "25000"
    group.limit_cpu(None)
    assert ((cpu / "cpu.cfs_quota_us").read_text(), (cpu / "cpu.cfs_burst_us").read_text()) == ("-1", "0")
    group.limit_processes(12)
    assert (pids / "pids.max").read_text() == "12"
    group.freeze()
    assert (freezer / "freezer.state").read_text() == "FROZEN"
    group.thaw()
    assert (freezer / "freezer.state").read_text() == "THAWED"
    assert group.memory_peak_bytes() == 4096
    assert group.out_of_memory_kills() == 3
    group.close()


def test_v2_files(v2: CgroupTree) -> None:
    assert v2.v2 is not None
    box = Path(v2.v2, "box")
    (box / "cpu.max.burst").write_text("7")
    (box / "memory.swap.max").write_text("max")
    (box / "memory.events").write_text("low 0\noom 5\noom_kill 2\noom_group_kill 1\n")
    group = V2Cgroup(v2, "box")
    assert (box / "memory.oom.group").read_text() == "1"
    group.limit_memory(1 << 27)
    assert (box / "memory.max").read_text() == str(1 << 27)
    assert (box / "memory.swap.max").read_text() == "0"
    group.limit_cpu(1.5)
    assert (box / "cpu.max").read_text() == "150000 100000"
    assert (box / "cpu.max.burst").read_text() == "150000"
    group.limit_cpu(None)
    assert (box / "cpu.max").read_text() == "max 100000"
    group.limit_processes(12)
    assert (box / "pids.max").read_text() == "12"
    group.freeze()
    assert (box / "cgroup.freeze").read_text() == "1"
    group.thaw()
    assert group.memory_peak_bytes() == 4096
    assert group.out_of_memory_kills() == 2
    group.close()


def test_v2_without_memory_peak_tells_what_is_in_use(v2: CgroupTree) -> None:
    assert v2.v2 is not None
    box = Path(v2.v2, "box")
    (box / "memory.peak").unlink()
    (box / "memory.current").write_text("123\n")
    group = V2Cgroup(v2, "box")
    assert group.memory_peak_bytes() == 123
    group.close()


def test_kill_thaws_first_and_does_nothing_where_nothing_is(v1: CgroupTree) -> None:
    freezer = Path(v1.v1["freezer"], "box/freezer.state")
    freezer.write_text("FROZEN")
    v1.kill("box")
    assert freezer.read_text() == "THAWED"
    v1.kill("no such sandbox")


def test_clear_removes_every_sandbox_and_the_tree(tmp_path: Path) -> None:
    tree = CgroupTree("hybrid", {"memory": str(tmp_path / "m/lambent/one")}, str(tmp_path / "u/lambent/one"))
    cgroup_detection.prepare(tree)
    for name in ("a", "b"):
        tree.create(name)
    assert tree.names() == ["a", "b"]
    tree.clear()
    assert tree.names() == []
    assert not (tmp_path / "m/lambent").exists()
    tree.clear()


def test_clear_leaves_another_servers_groups(tmp_path: Path) -> None:
    one, two = (CgroupTree("v2", {}, str(tmp_path / f"u/lambent/{name}")) for name in ("one", "two"))
    one.prepare()
    two.prepare()
    two.create("box")
    one.clear()
    assert two.names() == ["box"]


def test_a_user_has_what_was_delegated_and_no_more(machine: FakeMachine) -> None:
    """As systemd does it: the user's own group offers fewer controllers than the machine has."""
    own = machine.v2("cpuset cpu io memory pids", group="/user.slice/user@1000.service/app.scope")
    group = own / "user.slice/user@1000.service/app.scope"
    (group / "cgroup.controllers").write_text("memory pids")
    with pytest.raises(CgroupMissingError, match="cpu"):
        find_tree("one", machine.proc)
    tree = find_tree("one", machine.proc, needed=("memory", "pids"))
    assert (tree.layout, tree.v2, tree.controllers) == ("v2", f"{group}/lambent/one", ["memory", "pids"])
    prepared(tree)
    cpuless = V2Cgroup(tree, "box")
    cpuless.limit_cpu(0.5)
    cpuless.limit_processes(7)
    box = Path(str(tree.v2), "box")
    assert not (box / "cpu.max").exists()
    assert (box / "pids.max").read_text() == "7"
    cpuless.close()
    assert CgroupTree(**tree.to_message()).controllers == ["memory", "pids"]  # type: ignore[arg-type]


def test_v2_is_thawed_and_killed_as_a_whole(v2: CgroupTree) -> None:
    box = Path(str(v2.v2), "box")
    group = V2Cgroup(v2, "box")
    group.freeze()
    assert (box / "cgroup.freeze").read_text() == "1"
    v2.kill("box")
    assert ((box / "cgroup.freeze").read_text(), (box / "cgroup.kill").read_text()) == ("0", "1")
    group.close()


def test_v2_is_cloned_into_and_v1_is_joined(v2: CgroupTree, tmp_path: Path) -> None:
    entry = v2.enter("other")
    assert (list(entry.joins), entry.descriptors) == ([], [entry.into])
    bases = {name: str(tmp_path / name) for name in ("memory", "cpu", "pids")}
    tree = CgroupTree("v1", bases, None)
    tree.prepare()
    with pytest.raises(FileNotFoundError):  # a directory that is no control group has nothing to write to
        tree.enter("box")
    assert entry.into is not None
    os.close(entry.into)


def test_hybrid_kills_in_v2_and_whoever_is_only_in_v1(tmp_path: Path) -> None:
    bases = {name: str(tmp_path / name / "lambent/one") for name in ("memory", "cpu", "pids")}
    tree = CgroupTree("hybrid", bases, str(tmp_path / "unified/lambent/one"))
    prepared(tree)
    child = subprocess.Popen(["sleep", "60"])
    Path(bases["pids"], "box/cgroup.procs").write_text(f"{child.pid}\n")
    tree.kill("box")
    assert child.wait() == -signal.SIGKILL
    assert Path(str(tree.v2), "box/cgroup.kill").read_text() == "1"


@pytest.mark.parametrize(
    ("events", "kills"),
    [
        ("low 0\nhigh 0\nmax 9\noom 0\noom_kill 0\noom_group_kill 0\n", 0),
        ("low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n", 2),
        ("low 0\nhigh 0\nmax 9\noom 1\n", 0),  # before Linux 4.13
    ],
)
def test_v2_memory_events_that_killed_are_told_from_those_that_only_waited(
    v2: CgroupTree, events: str, kills: int
) -> None:
    (Path(str(v2.v2), "box") / "memory.events").write_text(events)
    group = V2Cgroup(v2, "box")
    assert group.out_of_memory_kills() == kills
    group.close()


@pytest.mark.parametrize("layout", ["v1", "v2"])
def test_a_group_that_is_gone_cannot_be_frozen(layout: str, v1: CgroupTree, v2: CgroupTree) -> None:
    tree = v1 if layout == "v1" else v2
    group = V1Cgroup(tree, "box") if layout == "v1" else V2Cgroup(tree, "box")
    for base in tree.bases:
        shutil.rmtree(Path(base, "box"))
    for change in (group.freeze, group.thaw, lambda: group.limit_processes(1)):
        with pytest.raises(FileNotFoundError):
            change()
    tree.kill("box")
    group.close()
