"""Inside a zygote: a process that has executed its interpreter, outside of any sandbox, and makes copies of itself.

    spawner ── order ──► zygote ── clone ──► pid 1 of a sandbox (supervisor) ──► pid 2, the copy that goes on
       ▲ child of the spawner, not of the zygote ┘

It has root and a single thread, and has never run a function's code. Between the clone and the return in pid 2, a copy
goes through the same steps as any other process of a sandbox: supervisor.py, process.py.

This and what it imports runs in the interpreter of the runtime (Python 3.10 or newer), in its root, and from /tmp,
which shows this directory until it is imported."""

import gc
import os
import socket
from collections.abc import Sequence
from typing import Any

from lambent.sandbox import messages, mounts, privileges, seccomp, syscalls
from lambent.sandbox.cgroup import Entry
from lambent.sandbox.privileges import FilterProgram, Programs
from lambent.sandbox.steps import StepError, step
from lambent.sandbox.supervisor import ATTACHING_CALLS, NAMESPACES, Copied, supervise

CODE = "/tmp"  # noqa: S108 - a path inside, where a process that is to be copied finds this package


def be_copied(line: int, private_bytes: int) -> None:
    """Makes copies as long as the spawner orders some. Returns in each of them, and nowhere else, with the descriptors
    of its order and no other. `private_bytes` is how much of the zygote's memory counts as a copy's own."""
    orders = socket.socket(fileno=line)
    mounts.unmount(CODE)
    privileges.give_up_for_good()  # once for all copies
    confined = FilterProgram(seccomp.assemble(syscalls.MACHINE))
    programs = Programs(
        process=confined,
        supervisor=FilterProgram(seccomp.assemble(syscalls.MACHINE, also_allowed=ATTACHING_CALLS)),
        forking=confined,  # copies are not copied again
    )
    gc.collect()
    gc.freeze()  # copies share these pages as long as nobody counts in them
    _tell(orders, {"ready": True, "private_bytes": private_bytes})
    while True:
        received = messages.receive(orders)
        if received is None:
            os._exit(0)
        if _copy(orders, *received, programs):
            return


def private_bytes() -> int:
    """Memory of this process that belongs to no file."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
        return next((int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon:")), 0)


def _copy(
    orders: socket.socket, spec: dict[str, Any], descriptors: Sequence[int], programs: Programs
) -> bool:
    """Whether this is the copy."""
    pid, pidfd, error = -1, -1, None
    try:
        with step("clone with new namespaces"):
            pid, pidfd = syscalls.clone(NAMESPACES, sibling=True)
    except StepError as failure:
        error = str(failure)
    if pid == 0:
        orders.detach()  # closed with all the rest, but not by this object
        control, launch, built, *others = descriptors
        into = others.pop() if spec["cloned_into"] else None
        numbers = spec["files"]
        files = None if numbers is None else dict(zip(numbers, others, strict=False))
        how, entry = Copied(built=built, files=files), Entry(others[len(numbers or ()) :], into)
        supervise(control, launch, how, spec=spec, entry=entry, programs=programs)
        return True
    for descriptor in descriptors:
        os.close(descriptor)
    answer = {"id": spec["id"], "pid": pid, "error": error}
    _tell(orders, answer, [] if error else [pidfd])
    if error is None:
        os.close(pidfd)
    return False


def _tell(orders: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Ends this process where the spawner has ended."""
    try:
        messages.send(orders, message, descriptors)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
