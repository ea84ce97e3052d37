"""Control groups: what of the machine one sandbox may use, how much it used, and stopping it.

Every sandbox has one directory of the same name in each hierarchy of the layout found here: `v2` (one hierarchy
for everything), `v1` (one for each controller), `hybrid` (v1 for the controllers; an empty v2 beside it freezes and
kills). Both the server (limits, counters, freezing) and the spawner (joining, cleaning up) hold a tree."""
# Paths are strings: supervisors use this between clone and start, where pathlib's objects cost.
# ruff: noqa: PTH102, PTH103, PTH106, PTH112, PTH118, PTH120, PTH123

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

CONTROLLERS = ("memory", "cpu", "pids")
_REMOVE_TRIES = 200
_REMOVE_PAUSE_S = 0.005


class Cgroup(Protocol):
    """The server's handle on one sandbox's group. Every method raises OSError where the kernel refuses."""

    def limit_memory(self, limit_bytes: int) -> None:
        """Memory and swap together."""
        ...

    def limit_cpu(self, cpus: float | None) -> None: ...

    def limit_processes(self, count: int) -> None: ...

    def memory_peak_bytes(self) -> int: ...

    def out_of_memory_kills(self) -> int:
        """How often the kernel killed here because of the memory limit."""
        ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def close(self) -> None: ...


class Entry(NamedTuple):
    """How a process gets into a sandbox's groups, as descriptors."""

    joins: Sequence[int] = ()
    """To which it writes "0", for the v1 groups."""
    into: int | None = None
    """The v2 group, into which it is cloned."""

    @property
    def descriptors(self) -> list[int]:
        return [*self.joins, *([self.into] if self.into is not None else [])]


class CgroupTree:
    """The groups of one server: a directory `base` in each hierarchy, with one child for each sandbox."""

    def __init__(
        self, layout: str, v1: Mapping[str, str], v2: str | None, controllers: Sequence[str] = CONTROLLERS
    ) -> None:
        self.layout = layout
        self.controllers = list(controllers)
        """What can be limited."""
        self.v1 = dict(v1)
        """controller: base directory"""
        self.v2 = v2

    @property
    def bases(self) -> list[str]:
        return [*dict.fromkeys(self.v1.values()), *([self.v2] if self.v2 else [])]

    def prepare(self) -> None:
        """Makes the base directories. Raises OSError."""
        for base in self.bases:
            os.makedirs(base, exist_ok=True)

    def create(self, name: str) -> None:
        for base in self.bases:
            os.mkdir(os.path.join(base, name))

    def enter(self, name: str) -> Entry:
        """Makes the groups, and says how to get into them. Raises OSError; groups that were made stay."""
        self.create(name)
        joins: list[int] = []
        try:
            for base in dict.fromkeys(self.v1.values()):
                path = os.path.join(base, name, "cgroup.procs")
                joins.append(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
            if self.v2 is None:
                return Entry(joins)
            path = os.path.join(self.v2, name)
            return Entry(joins, os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError:
            for descriptor in joins:
                os.close(descriptor)
            raise

    def names(self) -> list[str]:
        """Of every sandbox that has a group somewhere."""
        found: set[str] = set()
        for base in self.bases:
            if os.path.isdir(base):
                found.update(entry.name for entry in os.scandir(base) if entry.is_dir())
        return sorted(found)

    def kill(self, name: str) -> None:
        """Thaws and kills everything in the group. Does nothing where there is none."""
        if self.v2 is not None:
            _write_if_there(os.path.join(self.v2, name, "cgroup.freeze"), "0")
            _write_if_there(os.path.join(self.v2, name, "cgroup.kill"), "1")
        if "freezer" in self.v1:
            _write_if_there(os.path.join(self.v1["freezer"], name, "freezer.state"), "THAWED")
        for base in dict.fromkeys(self.v1.values()):
            for pid in _processes(os.path.join(base, name)):
                _kill(pid)

    def remove(self, name: str) -> None:
        """Kills what is in the group and removes it, waiting for the dying. Raises OSError where they do not end."""
        for base in self.bases:
            path = os.path.join(base, name)
            for attempt in range(_REMOVE_TRIES):
                if _rmdir(path, final=attempt == _REMOVE_TRIES - 1):
                    break
                self.kill(name)
                time.sleep(_REMOVE_PAUSE_S)

    def clear(self) -> None:
        """Removes every sandbox's group and the bases; what a server leaves when it ends."""
        for name in self.names():
            self.remove(name)
        for base in self.bases:
            _rmdir(base, final=True)
            _remove_if_empty(os.path.dirname(base))

    def to_message(self) -> dict[str, object]:
        return {"layout": self.layout, "v1": self.v1, "v2": self.v2, "controllers": self.controllers}


def write(path: str, value: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(value)


def _write_if_there(path: str, value: str) -> None:
    try:
        write(path, value)
    except (FileNotFoundError, ProcessLookupError):
        return
    except OSError as error:
        if error.errno != 19:  # ENODEV: the group went away between open and write
            raise


def _processes(directory: str) -> list[int]:
    try:
        with open(os.path.join(directory, "cgroup.procs"), encoding="ascii") as file:
            return [int(line) for line in file]
    except OSError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _rmdir(path: str, *, final: bool) -> bool:
    """Whether it is gone. Busy directories raise only at the final attempt."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        if final:
            raise
        return False
    return True


def _remove_if_empty(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return  # another server's groups are in it
