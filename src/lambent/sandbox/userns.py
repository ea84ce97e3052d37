"""The `userns` backend: what `namespaces` does, below a user namespace in which an ordinary user is root.

What takes root of the host is missing there, or done otherwise:
  loop devices    /tmp is a tmpfs, which the spawner makes: it alone is in the namespace that may
  mounting code   the spawner clones the tree, and the server hands it on
  control groups  where systemd has delegated some (v2); else memory is looked at, processes are counted by user id, and
                  freezing is a signal that the supervisor sends
  user ids        a range of /etc/subuid, one for each sandbox; else all are the one user that the server is"""

from collections.abc import Mapping
from pathlib import Path

from lambent.sandbox import cgroup_detection, guarantees
from lambent.sandbox.cgroup import CgroupTree
from lambent.sandbox.cgroup_detection import CgroupMissingError
from lambent.sandbox.messages import Message
from lambent.sandbox.namespace_sandbox import NamespaceSandbox
from lambent.sandbox.namespaces import NamespacesBackend
from lambent.sandbox.port import Isolation, SandboxError, SandboxSpec
from lambent.sandbox.resident_memory import MemoryWatch
from lambent.sandbox.scratch import Scratch
from lambent.sandbox.spawner_client import SpawnerClient
from lambent.sandbox.uids import OneUid, UidRange
from lambent.sandbox.user_namespace import SANDBOX_IDS, find_id_map

_DELEGATE = "systemd-run --user --scope -p Delegate=yes lambent start (needs cgroup v2)"
_DELEGATE_CPU = "Delegate=cpu memory pids in a drop-in of user@.service, as root"
_NEEDED = ("memory", "pids")
"""Many distributions delegate these to users, and not cpu."""
_OWN_ROOT = 0


class UsernsBackend(NamespacesBackend):
    """Needs no privilege. `state_directory` as with `namespaces`."""

    name = "userns"

    def __init__(self, state_directory: Path) -> None:
        super().__init__(state_directory)
        self._ids, self._single_because = find_id_map()
        if self._ids.single:
            self._uids = OneUid(SANDBOX_IDS)
        else:
            self._uids = UidRange(SANDBOX_IDS, self._ids.count, start=int(self.instance, 16))
        self._memory = MemoryWatch()

    @property
    def isolation(self) -> Isolation:
        kept = guarantees.USERNS
        missing = []
        if self._tree is None:
            kept = guarantees.weakened(kept, guarantees.WITHOUT_CGROUPS)
            missing.append(
                f"no control groups, so no limit on CPU, and memory is only looked at: {_DELEGATE}"
            )
        elif "cpu" not in self._tree.controllers:
            kept = guarantees.weakened(kept, guarantees.WITHOUT_CPU)
            missing.append(f"no limit on CPU: {_DELEGATE_CPU}")
        if self._ids.single:
            kept = guarantees.weakened(kept, guarantees.ONE_USER)
            missing.append(f"all environments are one user: {self._single_because}")
        cgroup = "none" if self._tree is None else self._tree.layout
        return Isolation(backend=self.name, guarantees=kept, missing=tuple(missing), cgroup=cgroup)

    async def close(self) -> None:
        await super().close()
        self._memory.close()

    def _find_tree(self) -> CgroupTree | None:
        try:
            tree = cgroup_detection.find_tree(self.instance, needed=_NEEDED)
            if tree.layout != "v2":  # v1 cannot be delegated
                return None
            tree.clear()
            cgroup_detection.prepare(tree)
        except (CgroupMissingError, OSError):
            return None
        return tree

    def _prepare_scratches(self) -> tuple[str, ...]:
        return ()

    async def _make_scratch(self, mib: int) -> Scratch:
        spawner = await self._running_spawner()
        return Scratch(await spawner.make_tmpfs(mib), None)

    async def _clone_tree(self, source: Path) -> int:
        spawner = await self._running_spawner()
        return await spawner.clone_tree(str(source))

    async def _fork(self, template: NamespaceSandbox, files: Mapping[int, int]) -> NamespaceSandbox:
        raise SandboxError(
            "fork: copies of a process take root: start the server with --isolation namespaces"
        )

    def _new_spawner(self) -> SpawnerClient:
        return SpawnerClient(self._gone, self._spawner_lost, self._ids, self._cloned)

    def _spec_message(self, sandbox: NamespaceSandbox, spec: SandboxSpec, root: str) -> Message:
        message = super()._spec_message(sandbox, spec, root)
        message["watched"] = message["freezes_by_signal"] = self._tree is None
        message["leaves_groups"] = self._ids.helped
        if self._ids.single:
            # The limit would be that of all sandboxes together.
            message["processes_max"] = None
        if self._tree is None:
            message["supervisor_uid"] = _OWN_ROOT if self._ids.helped else SANDBOX_IDS
        return message

    def _cloned(self, sandbox_id: str, supervisor_pid: int) -> None:
        """Called soon after each clone, before anything of a function runs in it."""
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is not None and not sandbox.supervisor_gone.done():
            sandbox.watch_memory(self._memory, supervisor_pid)
