"""The process that every sandbox is a child of: small, single-threaded, apart from the server, which is neither.

    server ──control socket──► spawner ──clone──► pid 1 of a sandbox (supervisor) ──► pid 2 (the process)

It takes orders {"order": "root" | "drop_root" | "create" | "zygote" | "end_zygote" | "socket" | "tree" | "tmpfs" |
"adopt" | "kill" | "close", …} and tells events {"event": "root" | "failed" | "cloned" | "zygote" | "zygote_gone" |
"made" | "gone", …}. A sandbox whose spec names a zygote is a copy of that, and a child of the spawner all the same.
When the server is gone, however it went, it kills every sandbox, removes their cgroups and ends. When the spawner
itself is killed, the kernel kills every supervisor and zygote, and with them the sandboxes.

Runs as `python -I -m lambent.sandbox.spawner DESCRIPTOR`, without an environment. Imports no asyncio."""

import contextlib
import errno
import gc
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from lambent.sandbox import messages, mounts, seccomp, syscalls
from lambent.sandbox.adoption import FORK_NAMESPACES, adopt
from lambent.sandbox.cgroup import CgroupTree, Entry
from lambent.sandbox.copies import Copies
from lambent.sandbox.interior import Visitor
from lambent.sandbox.privileges import FilterProgram, Programs
from lambent.sandbox.root import build_root, drop_root
from lambent.sandbox.scratch_memory import make_tmpfs
from lambent.sandbox.steps import StepError, step
from lambent.sandbox.supervisor import ATTACHING_CALLS, NAMESPACES, Executed, supervise
from lambent.sandbox.user_namespace import enter_user_namespace


class Spawner:
    def __init__(
        self, control: socket.socket, parent_pidfd: int, tree: CgroupTree | None, directory: str
    ) -> None:
        self._control = control
        self._parent_pidfd = parent_pidfd
        self._tree = tree
        self._directory = directory
        self._programs = Programs(
            process=FilterProgram(seccomp.assemble(syscalls.MACHINE)),
            supervisor=FilterProgram(seccomp.assemble(syscalls.MACHINE, also_allowed=ATTACHING_CALLS)),
            forking=FilterProgram(seccomp.assemble(syscalls.MACHINE, unshares=FORK_NAMESPACES)),
        )
        self._supervisors: dict[str, tuple[int, int]] = {}
        """id: (pid, pidfd)"""
        self._ids: dict[int, str] = {}
        """pidfd: id"""
        self._adopting: dict[int, int] = {}
        """pidfd: pid"""
        self._poll = select.epoll()
        self._pid = os.getpid()
        self._visitor = Visitor()
        self._copies = Copies(directory, self._poll, self._visitor, self)

    def run(self) -> None:
        """Returns when the server is gone or says so, with every sandbox gone."""
        for descriptor in (self._control.fileno(), self._parent_pidfd):
            self._poll.register(descriptor, select.EPOLLIN)
        try:
            while self._serve():
                pass
        finally:
            self._end_everything()

    def _serve(self) -> bool:
        for descriptor, _ in self._poll.poll():
            if descriptor == self._parent_pidfd:
                return False
            if descriptor == self._control.fileno():
                received = messages.receive(self._control)
                if received is None or not self._obey(*received):
                    return False
            elif descriptor in self._copies.lines:
                self._copies.hear(descriptor)
            else:
                self._reap(descriptor)
        return True

    def _obey(self, order: dict[str, Any], descriptors: list[int]) -> bool:
        match order["order"]:
            case "root":
                self._make_root(order["name"], order["root"])
            case "drop_root":
                with contextlib.suppress(OSError):  # it costs room, and nothing else
                    drop_root(f"{self._directory}/{order['name']}")
            case "create":
                self._create(order["spec"], descriptors)
            case "zygote":
                self._copies.start_zygote(order)
            case "end_zygote":
                self._copies.end_zygote(order["id"])
            case "socket" | "tree" | "tmpfs":
                self._make(order)
            case "adopt":
                self._adopt(order, descriptors)
            case "kill":
                self.kill(order["id"])
            case "close":
                return False
            case other:
                raise AssertionError(other)
        return True

    def _make_root(self, name: str, root: dict[str, Any]) -> None:
        try:
            build_root(f"{self._directory}/{name}", root)
        except StepError as error:
            self.tell({"event": "root", "name": name, "error": str(error)})
        else:
            self.tell({"event": "root", "name": name, "error": None})

    def _create(self, spec: dict[str, Any], descriptors: list[int]) -> None:
        spec["outside_of"] = self._pid
        entry = Entry()
        try:
            if self._tree is not None:
                with step("make the control groups"):
                    entry = self._tree.enter(spec["id"])
            if spec["zygote"] is None:
                self._clone(spec, descriptors, entry)
            else:
                self._copies.order(spec, descriptors, entry)
        except StepError as error:
            self.tell({"event": "failed", "id": spec["id"], "error": str(error)})
        finally:
            _close([*descriptors, *entry.descriptors])

    def _clone(self, spec: dict[str, Any], descriptors: list[int], entry: Entry) -> None:
        with step("clone with new namespaces"):
            pid, pidfd = syscalls.clone(NAMESPACES)
        if pid == 0:
            self._control.detach()  # closed with all the rest, but not by this object
            self._poll.close()
            control, launch, scratch = descriptors
            how = Executed(root=f"{self._directory}/{spec['root']}", scratch=scratch)
            supervise(control, launch, how, spec=spec, entry=entry, programs=self._programs)
        self.supervise(spec["id"], pid, pidfd, watched=spec["watched"])

    def supervise(self, sandbox_id: str, pid: int, pidfd: int, *, watched: bool) -> None:
        if watched:
            self.tell({"event": "cloned", "id": sandbox_id, "pid": pid})
        self._supervisors[sandbox_id] = (pid, pidfd)
        self._ids[pidfd] = sandbox_id
        self._poll.register(pidfd, select.EPOLLIN)

    def _make(self, order: dict[str, Any]) -> None:
        """Something that belongs to the namespace that its maker is in, whoever uses it later."""
        try:
            match order["order"]:
                case "socket":
                    made = self._make_socket(order["id"])
                case "tree":
                    with step(f"attach {order['source']}"):
                        # With what is mounted below: what the host has put there, a user namespace may not take away.
                        made = mounts.clone_tree(order["source"], mounts.READ_ONLY, recursive=True)
                case "tmpfs":
                    made = make_tmpfs(order["mib"])
        except StepError as error:
            self.tell({"event": "made", "error": str(error)})
            return
        self.tell({"event": "made", "error": None}, [made])
        os.close(made)

    def _make_socket(self, sandbox_id: str) -> int:
        if sandbox_id not in self._supervisors:
            gone = ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
            raise StepError("make a socket in the sandbox's network", gone)
        return self._visitor.make_socket(self._supervisors[sandbox_id][1]).detach()

    def _adopt(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """In a child, which tells the server by the last of `descriptors`: it enters namespaces, and waits."""
        try:
            with step("clone who adopts"):
                pid, pidfd = syscalls.clone(0)
        except StepError as error:
            with socket.socket(fileno=descriptors.pop()) as told:
                messages.tell(told, {"error": str(error)})
            return
        else:
            if pid == 0:
                self._control.detach()
                self._poll.close()
                adopt(order, descriptors, self._tree)
        finally:
            _close(descriptors)
        self._adopting[pidfd] = pid
        self._poll.register(pidfd, select.EPOLLIN)

    def children(self) -> set[int]:
        """Pids of all that was told of, but for zygotes."""
        return {pid for pid, _ in self._supervisors.values()} | set(self._adopting.values())

    def kill(self, sandbox_id: str) -> None:
        if sandbox_id not in self._supervisors:
            self._copies.doom(sandbox_id)
            return  # or its end is already told
        # The supervisor first, or it would report how its process ended: by us, which is nobody's exit.
        signal.pidfd_send_signal(self._supervisors[sandbox_id][1], signal.SIGKILL)
        if self._tree is not None:
            self._tree.kill(sandbox_id)  # also thaws it: with v1, what is frozen does not die

    def _reap(self, pidfd: int) -> None:
        if pidfd in self._adopting:
            self._poll.unregister(pidfd)
            os.close(pidfd)
            os.waitpid(self._adopting.pop(pidfd), 0)
            return
        sandbox_id = self._ids.pop(pidfd)
        pid, _ = self._supervisors.pop(sandbox_id)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        os.waitpid(pid, 0)
        self.tell({"event": "gone", "id": sandbox_id})

    def tell(self, event: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        try:
            messages.send(self._control, event, descriptors)
        except (BrokenPipeError, ConnectionResetError):
            return  # the server is gone, as the next poll will say

    def _end_everything(self) -> None:
        self._copies.close()
        for sandbox_id in list(self._supervisors):
            self.kill(sandbox_id)
        for pid, _ in self._supervisors.values():
            os.waitpid(pid, 0)
        if self._tree is not None:
            self._tree.clear()


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    os.umask(0o022)  # what sandboxes are shown is for every user
    # Two signs that the server is gone: its socket closes, or it ends (while a child of it keeps the socket open).
    parent_pidfd = os.pidfd_open(os.getppid())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C goes to the server, which ends us in its own order
    received = messages.receive(control)
    if received is None:
        return
    settings, _ = received
    tree = settings["cgroup"] and CgroupTree(**settings["cgroup"])
    try:
        if settings["ids"] is not None:
            enter_user_namespace(control, settings["ids"])
        _prepare(settings["directory"], below_user_namespace=settings["ids"] is not None)
    except StepError as error:
        messages.send(control, {"event": "opened", "error": str(error)})
        return
    spawner = Spawner(control, parent_pidfd, tree, settings["directory"])
    gc.collect()
    gc.freeze()  # children share these pages as long as nobody counts in them
    gc.disable()
    messages.send(control, {"event": "opened", "error": None})
    spawner.run()


def _prepare(directory: str, *, below_user_namespace: bool) -> None:
    with step("allow as many descriptors as the hard limit"):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if below_user_namespace:
        with step("take a network and a host name"):  # to which it may return
            syscalls.unshare(syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS)
    with step("take a mount namespace"):
        syscalls.unshare(syscalls.CLONE_NEWNS)
        # What the host unmounts goes here, too; what we mount stays unseen outside.
        mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_SLAVE)
    with step(f"mount {directory}"):
        mounts.mount("lambent", directory, "tmpfs", mounts.MS_NOSUID | mounts.MS_NODEV, "mode=0700,size=1m")
        mounts.mount(None, directory, None, mounts.MS_PRIVATE)


if __name__ == "__main__":
    main()
