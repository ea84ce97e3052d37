"""Which cgroup hierarchies this machine has, and where in them this process may make groups of its own."""

import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambent.sandbox.cgroup import CONTROLLERS, Cgroup, CgroupTree
from lambent.sandbox.cgroup_v1 import V1Cgroup
from lambent.sandbox.cgroup_v2 import V2Cgroup


class CgroupMissingError(Exception):
    """This machine's control groups cannot limit what a sandbox needs limited. The message names what is missing."""


@dataclass(frozen=True, slots=True)
class _Hierarchy:
    root: Path
    """Where it is mounted."""
    own: Path
    """The directory of the group that this process is in."""
    controllers: frozenset[str]
    version: int


def detect_layout(proc: Path = Path("/proc"), needed: Sequence[str] = CONTROLLERS) -> str:
    """ "v2", "v1", "hybrid" or "none"; the latter where there is none with the controllers that are `needed`."""
    hierarchies = list(_hierarchies(proc))
    v1 = {controller for h in hierarchies if h.version == 1 for controller in h.controllers}
    v2 = {controller for h in hierarchies if h.version == 2 for controller in h.controllers}
    if v2.issuperset(needed):
        return "v2"
    if not v1.issuperset(needed):
        return "none"
    if any(h.version == 2 for h in hierarchies):
        return "hybrid"
    return "v1" if "freezer" in v1 else "none"


def find_tree(instance: str, proc: Path = Path("/proc"), needed: Sequence[str] = CONTROLLERS) -> CgroupTree:
    """The tree of the server named `instance`, below the group it runs in, so that limits set on it hold for its
    sandboxes. Raises CgroupMissingError. In v2 the controllers that are not `needed` are taken where there are any."""
    layout = detect_layout(proc, needed)
    hierarchies = list(_hierarchies(proc))
    below = Path("lambent") / instance
    if layout == "none":
        raise CgroupMissingError(f"no cgroup hierarchy has the controllers {', '.join(needed)} (and freezer)")
    if layout == "v2":
        unified = next(h for h in hierarchies if h.version == 2)
        available = [controller for controller in CONTROLLERS if controller in unified.controllers]
        return CgroupTree(layout, {}, str(_delegated(unified, available) / below), available)
    wanted = CONTROLLERS if layout == "hybrid" else (*CONTROLLERS, "freezer")
    v1 = {
        controller: str(h.own / below)
        for controller in wanted
        for h in hierarchies
        if h.version == 1 and controller in h.controllers
    }
    v2 = next((str(h.own / below) for h in hierarchies if h.version == 2), None)
    return CgroupTree(layout, v1, v2)


def prepare(tree: CgroupTree) -> None:
    """Makes the tree's directories and, in v2, hands the controllers down to them. Raises OSError."""
    tree.prepare()
    if tree.layout == "v2" and tree.v2 is not None:
        base = Path(tree.v2)
        for directory in (base.parent, base):
            _enable(directory, tree.controllers)


def open_cgroup(tree: CgroupTree, name: str) -> Cgroup:
    """Raises OSError."""
    return V2Cgroup(tree, name) if tree.layout == "v2" else V1Cgroup(tree, name)


def _delegated(unified: _Hierarchy, controllers: Sequence[str]) -> Path:
    """The v2 group below which the controllers can be had: our own (after moving out of its way into a leaf, for a v2
    group with processes hands nothing down), else the root."""
    refusals = []
    for parent in dict.fromkeys((unified.own, unified.root)):
        try:
            _enable_with_leaf(parent, controllers)
        except OSError as error:
            refusals.append(f"{parent}: {error.strerror}")
        else:
            return parent
    raise CgroupMissingError("cannot enable cgroup controllers at " + "; ".join(refusals))


def _enable_with_leaf(parent: Path, controllers: Sequence[str]) -> None:
    try:
        _enable(parent, controllers)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        leaf = parent / "lambent-server"
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text("0")
        _enable(parent, controllers)


def _enable(directory: Path, controllers: Sequence[str]) -> None:
    control = directory / "cgroup.subtree_control"
    enabled = control.read_text().split()
    for controller in controllers:
        if controller not in enabled:
            control.write_text(f"+{controller}")


def _hierarchies(proc: Path) -> Iterator[_Hierarchy]:
    own = dict(_own_groups(proc))
    for line in (proc / "self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind not in ("cgroup", "cgroup2"):
            continue
        mount_root, mount_point = fields.split(" ")[3:5]
        root = Path(mount_point)
        if kind == "cgroup2":
            group = _inside(root, mount_root, own.get("", "/"))
            # What was handed down to us, which may be less than there is.
            offered = next(file for place in (group, root) if (file := place / "cgroup.controllers").exists())
            yield _Hierarchy(root, group, frozenset(offered.read_text().split()), 2)
            continue
        controllers = frozenset(options.split(",")) & own.keys()
        if controllers:
            path = own[next(iter(controllers))]
            yield _Hierarchy(root, _inside(root, mount_root, path), controllers, 1)


def _own_groups(proc: Path) -> Mapping[str, str]:
    """Controller ("" for v2): path of this process's group."""
    groups = {}
    for line in filter(None, (proc / "self/cgroup").read_text().splitlines()):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def _inside(root: Path, mount_root: str, path: str) -> Path:
    """The directory of group `path` in a hierarchy of which the part below `mount_root` is mounted at `root`."""
    if mount_root != "/" and Path(path).is_relative_to(mount_root):
        return root / Path(path).relative_to(mount_root)
    return root / path.lstrip("/") if ".." not in Path(path).parts else root
