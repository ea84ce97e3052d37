"""What a server holds of the machine, counted: before and after, so that a leak shows as a difference."""

from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.cpu import processes_below

_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """`mounts` and `descriptors` are those of the server and of the processes it started itself."""

    processes: int
    mounts: int
    cgroups: int
    loop_devices: int
    descriptors: int
    files: int

    def differences(self, before: "Held") -> dict[str, int]:
        """How many more there are now, of what there is not the same number."""
        pairs = {one.name: (getattr(self, one.name), getattr(before, one.name)) for one in fields(self)}
        return {name: now - then for name, (now, then) in pairs.items() if now != then}


class Holdings:
    """`data_dir` and `temporary` are directories that nobody else uses."""

    def __init__(self, pid: int, data_dir: Path, temporary: Path) -> None:
        self._pid = pid
        self._data_dir = data_dir
        self._temporary = temporary
        self._spawned = [one for one, fields in processes_below(pid).items() if fields[1] == str(pid)]
        assert self._spawned, "the server has no process that makes sandboxes"
        self._instance = ""

    def count(self) -> Held:
        """While the server runs and has at least one sandbox."""
        below = list(processes_below(self._pid))
        self._instance = self._instance or _cgroup_instance(below)
        own = [self._pid, *self._spawned]
        # Sandboxes are put together in a mount namespace of their maker's: its view of the directory. Deeper down,
        # there are the host's own files.
        maker = Path(f"/proc/{self._spawned[0]}/root{self._data_dir}/sandboxes")
        return Held(
            processes=len(below),
            mounts=sum(len(Path(f"/proc/{pid}/mountinfo").read_text().splitlines()) for pid in own),
            cgroups=self._cgroups(),
            loop_devices=self._loop_devices(),
            descriptors=sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in own),
            files=len(list(maker.glob("*/*"))) + _count_files(self._temporary),
        )

    def count_after_end(self) -> Held:
        """When the server has ended: everything should be 0, files apart that are meant to stay."""
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return Held(
            processes=len([pid for pid in self._spawned if Path(f"/proc/{pid}").exists()]),
            mounts=len([line for line in mounts if str(self._data_dir) in line]),
            cgroups=self._cgroups(),
            loop_devices=self._loop_devices(),
            descriptors=0,
            files=_count_files(self._data_dir / "sandboxes/lambent-scratch") + _count_files(self._temporary),
        )

    def _cgroups(self) -> int:
        return sum(1 for found in _CGROUPS.rglob(self._instance) for one in found.iterdir() if one.is_dir())

    def _loop_devices(self) -> int:
        backing = Path("/sys/block").glob("loop*/loop/backing_file")
        return len([one for one in backing if str(self._data_dir) in one.read_text()])


def _cgroup_instance(pids: list[int]) -> str:
    """The name of the group that this server's sandboxes have theirs in: …/lambent/INSTANCE/SANDBOX."""
    for pid in pids:
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            parts = line.rpartition(":")[2].split("/")
            if "lambent" in parts[:-2]:
                return parts[parts.index("lambent") + 1]
    raise RuntimeError("no sandbox of this server is in a control group")


def _count_files(directory: Path) -> int:
    return sum(1 for _ in directory.rglob("*")) if directory.is_dir() else 0
