"""The `process` backend: plain processes of the user who started the server, without any isolation. For one's own code
on one's own machine, also where there is no Linux; never chosen but by its name.

What has a root of its own elsewhere is a directory of symbolic links here, and paths and addresses are translated."""

import hashlib
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from lambent.base.ids import new_token
from lambent.sandbox import guarantees
from lambent.sandbox.places import Places
from lambent.sandbox.port import Bind, Isolation, Process, Root, SandboxError, SandboxSpec, Zygote
from lambent.sandbox.process_sandbox import ProcessSandbox
from lambent.sandbox.resident_memory import MemoryWatch
from lambent.sandbox.state_lock import lock_state

_BACKLOG = 128


class ProcessBackend:
    """`state_directory` holds the links and the directories for temporary files."""

    def __init__(self, state_directory: Path) -> None:
        self._state_directory = state_directory.resolve()
        self._roots = self._state_directory / "links"
        self._own = self._state_directory / "processes"
        self._sandboxes: dict[str, ProcessSandbox] = {}
        self._memory = MemoryWatch()
        self._lock: IO[str] | None = None

    @property
    def isolation(self) -> Isolation:
        return Isolation(
            backend="process",
            guarantees=guarantees.PROCESS,
            missing=("functions are not isolated: run only code that you trust. Linux has --isolation auto",),
            cgroup="none",
        )

    async def open(self) -> None:
        self._state_directory.mkdir(parents=True, exist_ok=True)
        self._lock = lock_state(self._state_directory)
        for directory in (self._roots, self._own):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700)

    async def create(self, spec: SandboxSpec, process: Process | None = None) -> ProcessSandbox:
        if self._lock is None:
            raise SandboxError("the backend is not open")
        listeners = list(_listeners(spec.listen))
        sandbox_id = new_token(16)
        own = self._own / sandbox_id
        try:
            root = self._root(spec.root)
            (own / "tmp").mkdir(parents=True)
        except OSError as error:
            for listener in listeners:
                listener.close()
            raise SandboxError(f"make {own}: {error.strerror}") from error
        places = Places(_names(spec, root, own, listeners), str(self._state_directory))
        sandbox = ProcessSandbox(sandbox_id, own, places, listeners, self._memory, self._forget)
        self._sandboxes[sandbox_id] = sandbox
        if process is not None:
            try:
                await sandbox.start(process)
            except BaseException:
                for listener in listeners:
                    listener.close()
                await sandbox.destroy()
                raise
        return sandbox

    async def open_zygote(self, root: Root, process: Process, hostname: str = "localhost") -> Zygote:
        raise SandboxError("copies of a process take namespaces")

    async def close(self) -> None:
        if self._lock is None:
            return
        for sandbox in list(self._sandboxes.values()):
            await sandbox.destroy()
        self._memory.close()
        shutil.rmtree(self._own, ignore_errors=True)
        shutil.rmtree(self._roots, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def _forget(self, sandbox_id: str) -> None:
        self._sandboxes.pop(sandbox_id, None)

    def _root(self, root: Root) -> Path:
        """Links to what the root shows at other places than it is on the host. Made once for each Root."""
        moved = [bind for bind in root.binds if str(bind.source) != bind.target]
        name = hashlib.sha256(repr(moved).encode()).hexdigest()[:24]
        directory = self._roots / name
        if not directory.exists():
            unfinished = directory.with_name(f"{name}.{new_token(8)}")
            _link(unfinished, moved)
            for path, destination in root.links.items():
                place = unfinished / path.lstrip("/")
                if place.parent != unfinished and place.parent.is_dir() and not place.exists():
                    place.symlink_to(destination)
            unfinished.rename(directory)
        return directory


def _link(root: Path, binds: Iterable[Bind]) -> None:
    root.mkdir(mode=0o700)
    for bind in sorted(binds, key=lambda bind: len(bind.target)):
        place = root / bind.target.lstrip("/")
        for parent in reversed([above for above in place.parents if above.is_relative_to(root)]):
            if parent.is_symlink():
                _spread(parent)
            parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(bind.source)


def _spread(link: Path) -> None:
    """Makes a link to a directory a directory of links to what is in that: something else shall be shown within."""
    source = link.resolve()
    link.unlink()
    link.mkdir()
    for entry in source.iterdir():
        (link / entry.name).symlink_to(entry)


def _listeners(addresses: Iterable[tuple[str, int]]) -> Iterable[socket.socket]:
    """At ports that are free: the host's network is everybody's."""
    for host, _ in addresses:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((host, 0))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        yield listener


def _names(spec: SandboxSpec, root: Path, own: Path, listeners: Iterable[socket.socket]) -> dict[str, str]:
    names = {point: str(own) + point for point in spec.root.mount_points}
    for top in (path for path in root.rglob("*") if path.is_symlink()):
        inside = "/" + str(top.relative_to(root))
        names[inside] = str(top)
        # Also what stands above it, for patterns and lists of directories: /var/lang/lib, /var/runtime.
        for parent in Path(inside).parents:
            if len(parent.parts) > 2:
                names.setdefault(str(parent), f"{root}{parent}")
    for (host, port), listener in zip(spec.listen, listeners, strict=True):
        names[f"{host}:{port}"] = f"{host}:{listener.getsockname()[1]}"
    return names
