"""The spawner's zygotes: starting them, passing orders on, and knowing what is under way in one that ends."""

import fcntl
import os
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from lambent.sandbox import messages, privileges, syscalls
from lambent.sandbox.cgroup import Entry
from lambent.sandbox.process import EXIT_NOT_STARTED, arrange, forget_signals
from lambent.sandbox.root import enter_root_of_zygote
from lambent.sandbox.steps import StepError, step

LINE = 3
"""The descriptor by which a zygote is told what to copy itself into."""

_NAMESPACES = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
"""So that nothing of the host's shows in what it remembers. Not the pids: its copies are the spawner's children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """A sandbox that a zygote was asked for and has not told of: what is needed to build its interior then, and to say
    over `building` that it is there."""

    spec: dict[str, Any]
    control: int
    scratch: int
    building: int

    def close(self) -> None:
        for descriptor in (self.control, self.scratch, self.building):
            os.close(descriptor)


@dataclass(slots=True, kw_only=True)
class Zygote:
    id: str
    pid: int
    pidfd: int
    line: socket.socket
    copying: dict[str, Copying] = field(default_factory=dict)

    def copy(self, spec: dict[str, Any], descriptors: Sequence[int], entry: Entry) -> None:
        """`descriptors` are control, launch, the mount for /tmp, and the files that the copy goes on with. Raises
        StepError."""
        control, launch, scratch, *files = descriptors
        opened: list[int] = []
        try:
            with step("order a copy of the zygote"):
                opened += os.pipe2(os.O_CLOEXEC)
                opened += (fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 0) for one in (control, scratch))
                built, building, control_kept, scratch_kept = opened
                messages.send(self.line, spec, [control, launch, built, *files, *entry.descriptors])
        except StepError:
            for descriptor in opened:
                os.close(descriptor)
            raise
        os.close(built)
        self.copying[spec["id"]] = Copying(
            spec=spec, control=control_kept, scratch=scratch_kept, building=building
        )

    def end(self) -> None:
        """Does not end copies. Returns when it is gone."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.line.close()


def start(zygote_id: str, directory: str, order: dict[str, Any]) -> Zygote:
    """`directory` is where its root is made, `order` has its `process` and `hostname`. Raises StepError; what fails
    later is told by its end."""
    ours, theirs = messages.socket_pair()
    try:
        with step("clone a zygote"):
            pid, pidfd = syscalls.clone(_NAMESPACES)
    except StepError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        _execute(theirs.detach(), directory, order)
    theirs.close()
    ours.setblocking(False)
    return Zygote(id=zygote_id, pid=pid, pidfd=pidfd, line=ours)


def end_strays(known: set[int]) -> None:
    """Kills and reaps children of this process whom nobody has told it of."""
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123
            children = [int(child) for child in file.read().split()]
    except FileNotFoundError:  # a kernel that does not tell
        return
    for child in children:
        if child not in known:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _execute(line: int, directory: str, order: dict[str, Any]) -> NoReturn:
    """Says what fails to the server's standard error."""
    try:
        privileges.die_with_parent()
        syscalls.close_all_but({line})
        with step("leave the session"):
            os.setsid()
        with step("set the host name"):
            socket.sethostname(order["hostname"])
        enter_root_of_zygote(directory, str(Path(__file__).parent))
        forget_signals()
        privileges.keep_over_exec()
        os.umask(0o022)
        argv = order["argv"]
        with step(f"execute {argv[0]}"):
            arrange({2: 2, LINE: line})
            os.execve(argv[0], argv, order["variables"])  # noqa: S606 - what this is for
    except (StepError, OSError) as error:
        os.write(2, f"zygote: {error}\n".encode())
    finally:
        os._exit(EXIT_NOT_STARTED)
