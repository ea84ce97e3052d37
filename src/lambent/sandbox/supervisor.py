"""Pid 1 of a sandbox: builds it from inside, attaches code on the server's orders, gives up its privileges when sealed,
and from then on only waits. When it ends, the kernel ends everything in its pid namespace.

The process proper is its child, not itself: the kernel shields pid 1 from signals, even from its own abort().
It is under no cgroup of the sandbox, so that its memory is not the function's and freezing does not stop it."""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambent.sandbox import messages, mounts, privileges, syscalls
from lambent.sandbox.cgroup import Entry
from lambent.sandbox.interior import furnish, open_host_network, open_network
from lambent.sandbox.privileges import Programs
from lambent.sandbox.process import COMPANIONS, become_process
from lambent.sandbox.root import enter_root, renew_proc
from lambent.sandbox.steps import StepError, step

NAMESPACES = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)
"""Of pid 1. Pid 2 adds a cgroup namespace, once it is where that shall begin."""

ATTACHING_CALLS = frozenset({"move_mount", "umount2"})
"""What a supervisor may do beyond its process until it is sealed; then it lacks the capability."""

_UNANSWERED = ("freeze", "thaw")
_COMPANIONS_SECONDS = 10.0
"""How long they may outlive the process, where the server does not end us before."""
_COMPANIONS_LOOKED_AT_SECONDS = 0.02

_DATA_BESIDE_BYTES = 1 << 30
"""What a process may map beyond its memory, where no control group says what it uses: stacks, heaps kept in reserve."""
_OOM_SCORE = b"500"  # whatever else runs on the machine is worth more to it than a function


class Executed(NamedTuple):
    """A sandbox whose process will be executed: its `root`, where that is made, and the mount for its /tmp."""

    root: str
    scratch: int


class Copied(NamedTuple):
    """One whose process is a copy of a zygote, in whose root it is. `built` tells when its interior is; `files` are
    what the copy goes on with, None where it is told later."""

    built: int
    files: Mapping[int, int] | None


def supervise(
    control: int,
    launch: int,
    how: Executed | Copied,
    *,
    spec: dict[str, Any],
    entry: Entry,
    programs: Programs,
) -> None:
    """Never returns; what fails is reported over `control`, then this process (and so the sandbox) ends. But it returns
    in pid 2 where that is a copy, which goes on."""
    control_socket = socket.socket(fileno=control)
    try:
        privileges.die_with_parent()
        syscalls.close_all_but({control, launch, *_descriptors(how), *entry.descriptors})
        if _Supervisor(control_socket, spec, programs).run(launch, how, entry):
            return
    except StepError as error:
        messages.tell(control_socket, {"error": str(error)})
    except OSError as error:
        messages.tell(control_socket, {"error": f"supervise: {error}"})
    except BaseException:
        sys.excepthook(*sys.exc_info())  # a bug: to the server's standard error
    os._exit(1)


class _Supervisor:
    def __init__(self, control: socket.socket, spec: dict[str, Any], programs: Programs) -> None:
        self._control = control
        self._spec = spec
        self._own_program = programs.supervisor
        self._process_program = programs.forking if spec["forks"] else programs.process

    def run(self, launch: int, how: Executed | Copied, entry: Entry) -> bool:
        """Whether this is the process now."""
        process, process_pidfd, go = self._fork_process(launch, how, entry)
        if go is None:
            return True
        if isinstance(how, Executed):
            self._build(how)
        else:
            renew_proc()
            _wait_built(how.built)
        privileges.confine(self._own_program, leave_groups=self._spec["leaves_groups"])
        privileges.keep_mounting(and_signalling=self._spec["freezes_by_signal"])
        go.send(b"1")
        _rehearse()
        self._process = process
        sealed = self._obey(process_pidfd)
        signals = sealed and self._spec["freezes_by_signal"]
        status = self._wait_and_signal() if signals else _wait_for(process)
        messages.tell(self._control, {"exit": status})
        if sealed and go.recv(1) == COMPANIONS:
            _outlive_by_companions()
        return False

    def _build(self, how: Executed) -> None:
        host_network = open_host_network(self._spec)
        listeners = open_network(self._spec, host_network)
        if host_network is not None:
            os.close(host_network)
        enter_root(how.root)
        furnish(self._spec, how.scratch)
        os.close(how.scratch)
        privileges.give_up_for_good()
        messages.send(self._control, {"ready": True}, [listener.fileno() for listener in listeners])
        for listener in listeners:
            listener.close()

    def _fork_process(
        self, launch: int, how: Executed | Copied, entry: Entry
    ) -> tuple[int, int, socket.socket | None]:
        """(pid, pidfd, a line that says when the root is ready, and hears of companions). First of all, because joining
        the cgroups takes longest, and can go on beside the rest. In a copy that goes on, (0, -1, None)."""
        go, go_of_process = socket.socketpair()
        with step("offer the process to die first when memory is short"):
            # Set here, inherited, and set back: its own /proc will be read-only by the time the child could do it.
            own_score = _exchange_oom_score(_OOM_SCORE)
        with step("fork the process"):
            pid, pidfd = syscalls.clone(0, cgroup_descriptor=entry.into)
        if pid == 0:
            self._control.close()
            go.close()
            become_process(
                socket.socket(fileno=launch),
                go=go_of_process,
                cgroup_joins=entry.joins,
                spec=self._spec,
                program=self._process_program,
                files=how.files if isinstance(how, Copied) else None,
            )
            return 0, -1, None
        with step("be worth as much as before"):
            _exchange_oom_score(own_score)
        go_of_process.close()
        files = how.files if isinstance(how, Copied) else None
        for descriptor in (launch, *(files or {}).values(), *entry.descriptors):
            os.close(descriptor)
        return pid, pidfd, go

    def _obey(self, process_pidfd: int) -> bool:
        """Follows orders until the process ends, or the sandbox is sealed (True), or the server is gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(process_pidfd, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if process_pidfd in ready:
                return False
            received = messages.receive(self._control)
            if received is None:
                os._exit(1)
            order, descriptors = received
            try:
                self._carry_out(order, descriptors)
            except StepError as error:
                messages.send(self._control, {"done": False, "error": str(error)})
                continue
            if order["order"] not in _UNANSWERED:
                messages.send(self._control, {"done": True})
            if order["order"] == "seal":
                return True

    def _carry_out(self, order: dict[str, Any], descriptors: list[int]) -> None:
        match order["order"]:
            case "attach":
                _attach(order["targets"], descriptors)
            case "replace_tmp":
                _replace_tmp(descriptors[0])
            case "seal":
                _attach(order["targets"], descriptors)
                self._seal(order["memory_bytes"])
            case "freeze":
                _signal_all(signal.SIGSTOP)
            case "thaw":
                _signal_all(signal.SIGCONT)
            case other:
                raise AssertionError(other)

    def _seal(self, memory_bytes: int | None) -> None:
        if not self._spec["freezes_by_signal"]:
            privileges.become(self._spec["supervisor_uid"])
            return
        if memory_bytes is not None:
            privileges.limit_data(self._process, memory_bytes + _DATA_BESIDE_BYTES)
        privileges.keep_signalling()

    def _wait_and_signal(self) -> int:
        """`_wait_for` the process, and meanwhile freeze and thaw everything on the server's orders, which it does not
        wait to see carried out."""
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(woken, select.POLLIN)
        while True:
            if (status := _reap(self._process)) is not None:
                return status
            ready = dict(poll.poll())
            if woken in ready:
                os.read(woken, 4096)
            if self._control.fileno() in ready:
                received = messages.receive(self._control)
                if received is None:
                    os._exit(1)
                self._carry_out(*received)


def _descriptors(how: Executed | Copied) -> list[int]:
    if isinstance(how, Executed):
        return [how.scratch]
    return [how.built, *(how.files or {}).values()]


def _wait_built(built: int) -> None:
    """Ends this process where the interior could not be made: whose it is has said why."""
    if os.read(built, 1) != b"1":
        os._exit(1)
    os.close(built)


def _rehearse() -> None:
    """Goes through the motions of an order, and attaches nothing: what a process does for the first time after it was
    forked is slow, and a caller waits for the orders that will come."""
    ours, theirs = messages.socket_pair()
    with ours, theirs:
        messages.send(ours, {"order": "seal", "targets": ["/"], "memory_bytes": None}, [ours.fileno()])
        received = messages.receive(theirs)
        assert received is not None
        order, descriptors = received
        with contextlib.suppress(StepError):  # it is no mount
            _attach(order["targets"], descriptors)
        messages.send(ours, {"done": True})


def _attach(targets: list[str], descriptors: list[int]) -> None:
    try:
        for target, descriptor in zip(targets, descriptors, strict=True):
            with step(f"attach {target}"):
                mounts.place(descriptor, target)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _replace_tmp(descriptor: int) -> None:
    try:
        with step("replace /tmp"):
            mounts.unmount("/tmp")  # noqa: S108 - a path inside
            mounts.place(descriptor, "/tmp")  # noqa: S108
    finally:
        os.close(descriptor)


def _exchange_oom_score(score: bytes) -> bytes:
    file = os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
    try:
        before = os.read(file, 16)
        os.pwrite(file, score, 0)
    finally:
        os.close(file)
    return before


def _signal_all(number: signal.Signals) -> None:
    """Everything in this pid namespace but ourselves, at once: nothing forks its way out of it."""
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return


def _reap(process: int) -> int | None:
    """The wait status of `process` where it has ended; so has everything else that was reaped on the way."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == process:
            return status
        if pid == 0:
            return None


def _wait_for(process: int) -> int:
    """The wait status of `process`; orphans are reaped on the way."""
    while True:
        pid, status = os.wait()
        if pid == process:
            return status


def _outlive_by_companions() -> None:
    """They are told of the end of the process by the server, and have time for theirs."""
    until = time.monotonic() + _COMPANIONS_SECONDS
    while time.monotonic() < until:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(_COMPANIONS_LOOKED_AT_SECONDS)
