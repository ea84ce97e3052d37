"""Pid 2 of a sandbox: joins the control groups, gives up its privileges, and waits to become the one process that the
sandbox is for. It exists before it is known what it will run, so that starting it later costs only the exec; or, for a
copy of a zygote, not even that."""

import fcntl
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from lambent.sandbox import messages, privileges, syscalls
from lambent.sandbox.privileges import FilterProgram
from lambent.sandbox.steps import StepError, step

EXIT_NOT_STARTED = 127
COMPANIONS = b"c"
"""Said to the supervisor where others run beside."""


def become_process(
    launch: socket.socket,
    *,
    go: socket.socket,
    cgroup_joins: Sequence[int],
    spec: dict[str, Any],
    program: FilterProgram,
    files: Mapping[int, int] | None,
) -> None:
    """Reports to the server over `launch`: {"ready": true}, or {"error": …}; then takes its orders, of which it carries
    out the last itself and has children carry out those before. When that is executed, the socket closes by itself.
    `go` says when the root is in place, and hears of companions. Returns in a copy only (`spec["copied"]`), which goes
    on, with `files` and no other descriptors, or those of its order where these are None."""
    try:
        _prepare(cgroup_joins, spec)
        if go.recv(1) != b"1":
            os._exit(EXIT_NOT_STARTED)  # the supervisor failed, and has said why
        os.chdir("/")
        if not spec["copied"]:  # else the zygote has
            privileges.give_up_for_good()
        privileges.confine(program, leave_groups=spec["leaves_groups"])
        privileges.become(spec["uid"])
        if files is not None:
            _go_on(launch, go, files)
            return
        messages.send(launch, {"ready": True})
        received = messages.receive(launch)
        if received is not None and spec["copied"]:
            (order,) = received[0]["orders"]
            _go_on(launch, go, dict(zip(order["files"], received[1], strict=True)))
            return
        if received is not None:
            if len(received[0]["orders"]) > 1:
                go.send(COMPANIONS)
            _execute_all(received[0]["orders"], received[1])
    except StepError as error:
        messages.tell(launch, {"error": str(error), "errno": error.errno})
    except OSError as error:
        messages.tell(launch, {"error": f"prepare the process: {error}", "errno": error.errno or 0})
    os._exit(EXIT_NOT_STARTED)


def _prepare(cgroup_joins: Sequence[int], spec: dict[str, Any]) -> None:
    with step("join the control groups"):
        for descriptor in cgroup_joins:
            os.write(descriptor, b"0")
            os.close(descriptor)
        syscalls.unshare(syscalls.CLONE_NEWCGROUP)
    with step("leave the session and its keyring"):
        os.setsid()
        syscalls.join_new_session_keyring()
    privileges.limit_resources(descriptors_max=spec["descriptors_max"], processes_max=spec["processes_max"])
    if not spec["copied"]:
        forget_signals()
    os.umask(0o022)


def forget_signals() -> None:
    """An ignored signal stays ignored over exec. Python ignores two, the spawner three more."""
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _go_on(launch: socket.socket, go: socket.socket, files: Mapping[int, int]) -> None:
    """What an exec would have done to descriptors, and to the marks that the kernel has put on us."""
    with step("arrange the descriptors"):
        arrange(files)
    privileges.be_dumpable()
    launch.detach()
    go.detach()
    syscalls.close_all_but(set(files))


def _execute_all(orders: Sequence[dict[str, Any]], descriptors: list[int]) -> None:
    """Only returns by raising StepError."""
    *beside, own = orders
    for order in beside:
        count = len(order["files"])
        _execute_beside(order, descriptors[:count])
        del descriptors[:count]
    _execute(own, descriptors)


def _execute_beside(order: dict[str, Any], received: Sequence[int]) -> None:
    """In a grandchild, whose parent will be the sandbox's supervisor: what runs in our place knows nothing of children.
    Raises StepError where it cannot be executed."""
    failed_read, failed_write = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os.setsid()
            # Above the numbers that are about to be given away.
            failed = fcntl.fcntl(failed_write, fcntl.F_DUPFD_CLOEXEC, max([2, *order["files"]]) + 1)
            try:
                _execute(order, received)
            except StepError as error:
                os.write(failed, f"{error.errno} {error.step}".encode())
        os._exit(EXIT_NOT_STARTED)
    os.close(failed_write)
    for descriptor in received:
        os.close(descriptor)
    os.waitpid(child, 0)
    failure = os.read(failed_read, 4096).decode()
    os.close(failed_read)
    if failure:
        number, _, failed_step = failure.partition(" ")
        raise StepError(failed_step, OSError(int(number), ""))


def _execute(order: dict[str, Any], received: Sequence[int]) -> None:
    """Only returns by raising StepError."""
    with step("arrange the descriptors"):
        arrange(dict(zip(order["files"], received, strict=True)))
    with step(f"change to {order['directory']}"):
        os.chdir(order["directory"])
    executable = order["argv"][0]
    with step(f"execute {executable}"):
        os.execve(executable, order["argv"], order["variables"])  # noqa: S606 - what this is for


def arrange(files: Mapping[int, int]) -> None:
    """Gives each descriptor its number, /dev/null to those of 0, 1 and 2 that have none, and nothing else over exec."""
    syscalls.close_on_exec_from(3)
    above = max([2, *files]) + 1
    sources = {
        number: fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above) for number, descriptor in files.items()
    }
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for number in range(3):
        if number not in sources:
            sources[number] = fcntl.fcntl(null, fcntl.F_DUPFD_CLOEXEC, above)
    for number, descriptor in sources.items():
        os.dup2(descriptor, number)
