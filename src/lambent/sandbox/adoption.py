"""Makes a sandbox of a process that copied itself: the part that takes root.

    template ── fork ──► child: unshare, fork ──► pid 1 of its own pid namespace, waits ──► pid 2, the copy
                                                     ▲ adopt: user id, control groups, /proc, /tmp

The copy has made its namespaces by itself, below a user namespace, whose capabilities are of no use under the call
filter and reach no further than its own mounts, pids, ipc and names. Here they are filled, from outside. A process that
is not such a copy has a user map already, so that its cannot be written, which is the first step."""

import os
import signal
import socket
from typing import Any, NoReturn

from lambent.sandbox import messages, mounts, syscalls
from lambent.sandbox.cgroup import CgroupTree
from lambent.sandbox.root import PROC, mask_proc
from lambent.sandbox.steps import StepError, step

FORK_NAMESPACES = (
    syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWCGROUP
)
"""What the copy unshares, all at once. Not the network: one of its own is the largest part of the kernel that a user
namespace opens."""

_SECONDS_MOST = 20


def adopt(order: dict[str, Any], descriptors: list[int], tree: CgroupTree | None) -> NoReturn:
    """`order` has `id`, `uid` (the copy's on the host) and `uid_inside`; `descriptors` are a pidfd of the copy's pid 1,
    the mount for its /tmp, and the socket to tell the server by. In a process of its own, which ends."""
    pidfd, scratch, answer = descriptors
    told = socket.socket(fileno=answer)
    signal.alarm(_SECONDS_MOST)
    try:
        _adopt(order, pidfd, scratch, tree)
        messages.send(told, {"done": True})
    except (StepError, OSError) as error:
        messages.send(told, {"error": str(error)})
    finally:
        os._exit(0)


def _adopt(order: dict[str, Any], pidfd: int, scratch: int, tree: CgroupTree | None) -> None:
    pid = _pid_of(pidfd)
    with step("name the user"):
        for file in ("uid_map", "gid_map"):
            _write(f"/proc/{pid}/{file}", f"{order['uid_inside']} {order['uid']} 1")
    if tree is not None:
        with step("join the control groups"):
            for base in tree.bases:
                _write(f"{base}/{order['id']}/cgroup.procs", str(pid))
    with step("enter the pid namespace"):
        syscalls.enter(pidfd, syscalls.CLONE_NEWPID)  # of children, from here on
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, _fill_mounts(pidfd, scratch).encode())
        os._exit(0)
    os.close(write)
    failure = os.read(read, 4096).decode()
    os.waitpid(child, 0)
    if failure:
        raise OSError(failure)


def _fill_mounts(pidfd: int, scratch: int) -> str:
    """What went wrong, or "". A /proc shows the pids of who made it, so this is in the copy's pid namespace."""
    try:
        with step("make a /proc"):
            proc = mounts.make_filesystem_mount("proc", PROC, {})
        with step("enter the mount namespace"):
            syscalls.enter(pidfd, syscalls.CLONE_NEWNS)
        with step("show /proc"):
            mounts.place(proc, "/proc")
        mask_proc()
        with step("show /tmp"):
            mounts.place(scratch, "/tmp")  # noqa: S108 - a path inside
    except StepError as error:
        return str(error)
    return ""


def _pid_of(pidfd: int) -> int:
    """As this pid namespace counts."""
    with step("find the process"):
        descriptor = os.open(f"/proc/self/fdinfo/{pidfd}", os.O_RDONLY | os.O_CLOEXEC)
        text = os.read(descriptor, 4096).decode()
        os.close(descriptor)
        pid = next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pid:")), -1)
        if pid <= 0:
            raise ProcessLookupError(3, "no such process")
        return pid


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
