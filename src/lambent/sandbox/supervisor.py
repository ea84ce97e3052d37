"""Pid 1 of a sandbox: builds it from inside, attaches code on the server's orders, gives up its privileges when sealed,
and from then on only waits. When it ends, the kernel ends everything in its pid namespace.

The process proper is its child, not itself: the kernel shields pid 1 from signals, even from its own abort().
It is under no cgroup of the sandbox, so that its memory is not the function's and freezing does not stop it."""

import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from lambent.sandbox import messages, mounts, netlink, privileges, syscalls
from lambent.sandbox.cgroup import Entry
from lambent.sandbox.privileges import Programs
from lambent.sandbox.process import COMPANIONS, become_process
from lambent.sandbox.root import enter_root, name_user, renew_proc
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

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_BACKLOG = 128
_INTERFACE = "eth0"
_DATA_BESIDE_BYTES = 1 << 30
"""What a process may map beyond its memory, where no control group says what it uses: stacks, heaps kept in reserve."""
_OOM_SCORE = b"500"  # whatever else runs on the machine is worth more to it than a function


def supervise(
    control: int,
    launch: int,
    scratch: int,
    *,
    spec: dict[str, Any],
    root: str | None,
    entry: Entry,
    programs: Programs,
) -> None:
    """Never returns; what fails is reported over `control`, then this process (and so the sandbox) ends. Without a
    `root`, we are in it, as a copy of a zygote: then it returns in pid 2, which is the copy that goes on."""
    control_socket = socket.socket(fileno=control)
    try:
        privileges.die_with_parent()
        syscalls.close_all_but({control, launch, scratch, *entry.descriptors})
        if _Supervisor(control_socket, spec, programs).run(launch, scratch, root, entry):
            return
    except StepError as error:
        _send(control_socket, {"error": str(error)})
    except OSError as error:
        _send(control_socket, {"error": f"supervise: {error}"})
    except BaseException:
        sys.excepthook(*sys.exc_info())  # a bug: to the server's standard error
    os._exit(1)


class _Supervisor:
    def __init__(self, control: socket.socket, spec: dict[str, Any], programs: Programs) -> None:
        self._control = control
        self._spec = spec
        self._own_program = programs.supervisor
        self._process_program = programs.forking if spec["forks"] else programs.process

    def run(self, launch: int, scratch: int, root: str | None, entry: Entry) -> bool:
        """Whether this is the process now."""
        process, process_pidfd, go = self._fork_process(launch, entry)
        if go is None:
            return True
        listeners = self._open_network()
        with step("set the host name"):
            socket.sethostname(self._spec["hostname"])
        if root is None:
            renew_proc()
        else:
            enter_root(root)
        name_user(self._spec["uid"])
        with step("show /tmp"):
            mounts.place(scratch, "/tmp")  # noqa: S108 - a path inside
        os.close(scratch)
        privileges.confine(self._own_program, leave_groups=self._spec["leaves_groups"])
        privileges.keep_mounting(and_signalling=self._spec["freezes_by_signal"])
        go.send(b"1")
        messages.send(self._control, {"ready": True}, [listener.fileno() for listener in listeners])
        for listener in listeners:
            listener.close()
        self._process = process
        sealed = self._obey(process_pidfd)
        signals = sealed and self._spec["freezes_by_signal"]
        status = self._wait_and_signal() if signals else _wait_for(process)
        _send(self._control, {"exit": status})
        if sealed and go.recv(1) == COMPANIONS:
            _outlive_by_companions()
        return False

    def _fork_process(self, launch: int, entry: Entry) -> tuple[int, int, socket.socket | None]:
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
            )
            return 0, -1, None
        with step("be worth as much as before"):
            _exchange_oom_score(own_score)
        go_of_process.close()
        for descriptor in (launch, *entry.descriptors):
            os.close(descriptor)
        return pid, pidfd, go

    def _open_network(self) -> list[socket.socket]:
        with (
            step("bring the loopback interface up"),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket,
        ):
            request = struct.pack("16sH14x", b"lo", 0)
            name, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", name, flags | _IFF_UP))
        if self._spec["outside"] is not None:
            _reach_outside(self._spec["outside"], f"/proc/{self._spec['outside_of']}/ns/net")
        listeners = []
        for host, port in self._spec["listen"]:
            with step(f"listen on {host}:{port}"):
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                listener = socket.socket(family, socket.SOCK_STREAM)
                listener.bind((host, port))
                listener.listen(_BACKLOG)
                listeners.append(listener)
        return listeners

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


def _reach_outside(link: dict[str, str], host_network: str) -> None:
    """Makes a pair of interfaces: eth0 here, the other end in the host's network, where we are for a moment, too. They
    go with this network namespace."""
    host = os.open(host_network, os.O_RDONLY | os.O_CLOEXEC)
    here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with step("make eth0"):
            netlink.make_veth(_INTERFACE, link["peer"], host)
            netlink.add_address(_INTERFACE, link["address"])
            netlink.bring_up(_INTERFACE)
            netlink.add_default_route(link["gateway"], _INTERFACE)
        with step("connect eth0 with the host"):
            syscalls.enter(host, syscalls.CLONE_NEWNET)
            netlink.add_address(link["peer"], link["gateway"])
            netlink.bring_up(link["peer"])
            netlink.add_route_to(link["address"], link["peer"])
            syscalls.enter(here, syscalls.CLONE_NEWNET)
    finally:
        os.close(host)
        os.close(here)


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


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    try:
        messages.send(control, message)
    except OSError:
        return  # the server closed its end: nobody wants to know
