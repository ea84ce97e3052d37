"""The `namespaces` backend: Linux namespaces, cgroups, seccomp, and a user for each sandbox. Needs root.

backend (here, in the server's event loop)
  ├ spawner_client ⇄ spawner ── clones supervisors, tells when they end
  ├ namespace_sandbox ⇄ supervisor (pid 1 inside) and process (pid 2 inside)
  ├ scratch: makes the file systems for /tmp
  └ cgroup: limits, counters, freezing"""

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from lambent.base.ids import new_token
from lambent.sandbox import cgroup_detection, guarantees, mounts
from lambent.sandbox.cgroup import CgroupTree
from lambent.sandbox.cgroup_detection import CgroupMissingError
from lambent.sandbox.messages import Message
from lambent.sandbox.mounts import READ_ONLY
from lambent.sandbox.named_roots import NamedRoots
from lambent.sandbox.namespace_sandbox import Destroy, Fork, MakeSocket, NamespaceSandbox
from lambent.sandbox.outside import Outside, close_way, open_way
from lambent.sandbox.port import Isolation, Process, Root, SandboxError, SandboxSpec, Zygote
from lambent.sandbox.scratch import Scratch, ScratchMaker
from lambent.sandbox.spawned_zygote import SpawnedZygote
from lambent.sandbox.spawner_client import SpawnerClient
from lambent.sandbox.state_lock import lock_state
from lambent.sandbox.uids import UidRange, Uids

_FORK_TMP_MIB = 512
_FORK_PROCESSES_MAX = 1024
UID_FIRST, UID_COUNT = 1_900_000_000, 65_536
"""Above what systemd and container managers hand out, below 2^31."""


class NamespacesBackend:
    """`state_directory` holds the images behind /tmp while sandboxes live, and tells one server from another: two with
    the same one cannot be open at a time. Uids from `uid_first` on must belong to nobody else. With `outside`, what is
    inside reaches that."""

    name = "namespaces"

    def __init__(
        self,
        state_directory: Path,
        *,
        uid_first: int = UID_FIRST,
        uid_count: int = UID_COUNT,
        outside: Outside | None = None,
    ) -> None:
        self._outside = outside
        self._state_directory = state_directory.resolve()
        self.instance = hashlib.sha256(str(self._state_directory).encode()).hexdigest()[:12]
        self._uids: Uids = UidRange(uid_first, uid_count, start=int(self.instance, 16))
        self._scratches = ScratchMaker(self._state_directory)
        self._cleaners = ThreadPoolExecutor(4, thread_name_prefix="sandbox-cleaner")
        self._sandboxes: dict[str, NamespaceSandbox] = {}
        self._spawner: SpawnerClient | None = None
        self._spawner_turn = asyncio.Lock()
        self._tree: CgroupTree | None = None
        self._lock: IO[str] | None = None
        self._missing: tuple[str, ...] = ()
        self._roots = NamedRoots(outside)

    @property
    def isolation(self) -> Isolation:
        kept = guarantees.NAMESPACES
        if self._missing:
            kept = guarantees.weakened(kept, guarantees.TMP_IN_MEMORY)
        if self._outside is not None:
            kept = guarantees.weakened(kept, guarantees.WITH_NAT)
        return Isolation(
            backend=self.name,
            guarantees=kept,
            missing=self._missing,
            cgroup="none" if self._tree is None else self._tree.layout,
        )

    @property
    def spawner_pid(self) -> int | None:
        return None if self._spawner is None else self._spawner.pid

    async def open(self) -> None:
        self._state_directory.mkdir(parents=True, exist_ok=True)
        self._lock = lock_state(self._state_directory)
        try:
            await asyncio.get_running_loop().run_in_executor(self._cleaners, self._prepare)
            await self._running_spawner()
        except BaseException:
            await self.close()
            raise

    def _prepare(self) -> None:
        """Blocking: finds the cgroups, and sweeps what a killed predecessor left."""
        self._tree = self._find_tree()
        if self._outside is not None:
            open_way(self._outside, self.instance)
        try:
            self._missing = self._prepare_scratches()
            (self._state_directory / "roots").mkdir(exist_ok=True)
        except OSError as error:
            raise SandboxError(f"prepare {self._state_directory}: {error.strerror}") from error

    def _find_tree(self) -> CgroupTree | None:
        try:
            tree = cgroup_detection.find_tree(self.instance)
            tree.clear()
            cgroup_detection.prepare(tree)
        except (CgroupMissingError, OSError) as error:
            raise SandboxError(f"prepare the control groups: {error}") from error
        return tree

    def _prepare_scratches(self) -> tuple[str, ...]:
        """What is missing for the best file systems for /tmp."""
        reason = self._scratches.open()
        return (f"files in /tmp count against the memory limit: {reason}",) if reason else ()

    async def _make_scratch(self, mib: int) -> Scratch:
        return await self._scratches.make(mib)

    async def _clone_tree(self, source: Path) -> int:
        return mounts.clone_tree(str(source), READ_ONLY)

    def _new_spawner(self) -> SpawnerClient:
        return SpawnerClient(self._gone, self._spawner_lost)

    async def create(self, spec: SandboxSpec, process: Process | None = None) -> NamespaceSandbox:
        spawner = await self._running_spawner()
        name, message = self._roots.named(spec.root)
        async with spawner.root(name, message):
            sandbox, scratch = await self._new_sandbox(
                spec.tmp_mib, spawner.make_socket, self._destroy, self._fork if spec.forks else None
            )
            if isinstance(spec.zygote, SpawnedZygote):
                sandbox.private_bytes_before = spec.zygote.private_bytes
            files = process.files if process is not None and spec.zygote is not None else None
            try:
                self._order(spawner, sandbox, scratch, spec, name, files)
            except BaseException:
                await sandbox.destroy()
                raise
        try:
            await sandbox.wait_ready(goes_on=files is not None)
            self._open_cgroup(sandbox, spec.processes_max)
            if process is not None and files is None:
                await sandbox.start(process)
        except BaseException:
            for listener in sandbox.listeners:
                listener.close()
            await sandbox.destroy()
            raise
        return sandbox

    async def open_zygote(self, root: Root, process: Process, hostname: str = "localhost") -> SpawnedZygote:
        spawner = await self._running_spawner()
        name, message = self._roots.named(root)
        async with spawner.root(name, message):
            order = {
                "root": name,
                "hostname": hostname,
                "argv": process.argv,
                "variables": dict(process.variables),
            }
            return await spawner.open_zygote(new_token(16), order)

    async def _new_sandbox(
        self, tmp_mib: int, make_socket: MakeSocket, destroy: Destroy, fork: Fork | None
    ) -> tuple[NamespaceSandbox, Scratch]:
        uid = self._uids.take()
        try:
            scratch = await self._make_scratch(tmp_mib)
        except BaseException:
            self._uids.release(uid)
            raise
        sandbox = NamespaceSandbox(
            new_token(16),
            uid,
            scratch,
            make_scratch=self._make_scratch,
            clone_tree=self._clone_tree,
            destroy=destroy,
            make_socket=make_socket,
            has_cgroup=self._tree is not None,
            fork=fork,
        )
        self._sandboxes[sandbox.id] = sandbox
        return sandbox, scratch

    def _order(
        self,
        spawner: SpawnerClient,
        sandbox: NamespaceSandbox,
        scratch: Scratch,
        spec: SandboxSpec,
        root: str,
        files: Mapping[int, int] | None,
    ) -> None:
        try:
            message = self._spec_message(sandbox, spec, root)
            message["files"] = None if files is None else list(files)
            spawner.create(
                message, sandbox.control.far, sandbox.launch.far, scratch.mount, *(files or {}).values()
            )
        except BaseException:
            sandbox.supervisor_ended(None)  # there never was one
            raise
        finally:
            sandbox.control.hand_over()
            sandbox.launch.hand_over()
            scratch.release()

    async def _fork(self, template: NamespaceSandbox, files: Mapping[int, int]) -> NamespaceSandbox:
        spawner = await self._running_spawner()
        copy, scratch = await self._new_sandbox(
            _FORK_TMP_MIB, lambda _: spawner.make_socket(template.id), self._destroy_copy, None
        )
        assert template.forks is not None
        try:
            self._make_cgroup(copy)
            try:
                template.forks.send({"files": list(files)}, [copy.control.far, *files.values()])
            finally:
                copy.control.hand_over()

            async def adopt(pidfd: int) -> None:
                order = {"id": copy.id, "uid": copy.uid, "uid_inside": template.uid}
                await spawner.adopt(order, pidfd, scratch.mount)

            await copy.wait_forked(adopt)
        except BaseException:
            await copy.destroy()
            raise
        finally:
            scratch.release()
        return copy

    def _make_cgroup(self, copy: NamespaceSandbox) -> None:
        if self._tree is None:
            return
        try:
            self._tree.create(copy.id)
        except OSError as error:
            raise SandboxError(f"make the control groups: {error.strerror}") from error
        self._open_cgroup(copy, _FORK_PROCESSES_MAX)

    async def _destroy_copy(self, copy: NamespaceSandbox) -> None:
        """Its pid 1 is in its control group, and with it goes the rest."""
        if self._tree is not None:
            self._tree.kill(copy.id)
        if copy.copied:
            await copy.supervisor_gone
        else:
            copy.supervisor_ended(None)
        copy.release_cgroup()
        await asyncio.get_running_loop().run_in_executor(self._cleaners, self._clean_up_after, copy)
        del self._sandboxes[copy.id]
        self._uids.release(copy.uid)

    async def close(self) -> None:
        if self._lock is None:
            return
        await asyncio.gather(*(sandbox.destroy() for sandbox in list(self._sandboxes.values())))
        if self._spawner is not None:
            await self._spawner.close()
            self._spawner = None
        await asyncio.get_running_loop().run_in_executor(self._cleaners, self._clear)
        self._cleaners.shutdown()
        self._lock.close()
        self._lock = None

    def _clear(self) -> None:
        if self._tree is not None:
            self._tree.clear()
        self._scratches.close()
        if self._outside is not None:
            close_way(self.instance)

    async def _running_spawner(self) -> SpawnerClient:
        if self._lock is None:
            raise SandboxError("the backend is not open")
        async with self._spawner_turn:
            if self._spawner is None:
                spawner = self._new_spawner()
                cgroup = None if self._tree is None else self._tree.to_message()
                try:
                    await spawner.open(self._state_directory / "roots", cgroup)
                except BaseException:
                    await spawner.close()
                    raise
                self._spawner = spawner
            return self._spawner

    def _spec_message(self, sandbox: NamespaceSandbox, spec: SandboxSpec, root: str) -> Message:
        return {
            "id": sandbox.id,
            "root": root,
            "hostname": spec.hostname,
            "listen": [list(address) for address in spec.listen],
            "outside": self._outside
            and self._outside.link(self.instance, sandbox.uid - self._uids.supervisor),
            "uid": sandbox.uid,
            "supervisor_uid": self._uids.supervisor,
            "leaves_groups": True,
            "watched": False,
            "freezes_by_signal": False,
            "forks": spec.forks,
            "zygote": None if spec.zygote is None else _id_of(spec.zygote),
            "copied": spec.zygote is not None,
            "processes_max": spec.processes_max,
            "descriptors_max": spec.descriptors_max,
        }

    def _open_cgroup(self, sandbox: NamespaceSandbox, processes_max: int) -> None:
        if self._tree is None:
            return
        try:
            sandbox.cgroup = cgroup_detection.open_cgroup(self._tree, sandbox.id)
            sandbox.cgroup.limit_processes(processes_max)
        except OSError as error:
            raise SandboxError(f"limit the processes: {error.strerror}") from error

    def _gone(self, sandbox_id: str, error: str | None) -> None:
        self._sandboxes[sandbox_id].supervisor_ended(error)

    def _spawner_lost(self) -> None:
        """The kernel has killed every supervisor; the next `create` starts another spawner."""
        self._spawner = None
        for sandbox in list(self._sandboxes.values()):
            sandbox.supervisor_ended("the spawner has ended")

    async def _destroy(self, sandbox: NamespaceSandbox) -> None:
        if not sandbox.supervisor_gone.done() and self._spawner is not None:
            self._spawner.kill(sandbox.id)
            await sandbox.supervisor_gone
        sandbox.release_cgroup()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._cleaners, self._clean_up_after, sandbox)
        del self._sandboxes[sandbox.id]
        self._uids.release(sandbox.uid)

    def _clean_up_after(self, sandbox: NamespaceSandbox) -> None:
        """Blocking: waits for what the kernel does after the last process."""
        if self._tree is not None:
            self._tree.remove(sandbox.id)
        for scratch in sandbox.scratches_made:
            scratch.wait_gone()


def _id_of(zygote: Zygote) -> str:
    """Raises SandboxError."""
    if not isinstance(zygote, SpawnedZygote):
        raise SandboxError("copy: this process was made by another backend")
    return zygote.id
