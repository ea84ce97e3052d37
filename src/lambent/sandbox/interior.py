"""What is inside a sandbox before anything runs there: its network with its listeners, its name, its user, its /tmp.

Pid 1 makes it, or, where that is a copy of a zygote, the spawner from outside: what a process does after it was forked
costs several times as much, because its memory is copied as it is touched; and of copies the spawner forks none."""

import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lambent.sandbox import mounts, netlink, syscalls
from lambent.sandbox.root import name_user
from lambent.sandbox.steps import step

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_BACKLOG = 128
_INTERFACE = "eth0"
_KINDS = {"net": syscalls.CLONE_NEWNET, "uts": syscalls.CLONE_NEWUTS, "mnt": syscalls.CLONE_NEWNS}


def open_network(spec: dict[str, Any], host_network: int | None) -> list[socket.socket]:
    """Of the namespaces that this process is in: the loopback interface, what leads to `host_network` (the host's,
    where the spec reaches outside), and the host name. Returns the listeners. Raises StepError."""
    with (
        step("bring the loopback interface up"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket,
    ):
        request = struct.pack("16sH14x", b"lo", 0)
        name, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", name, flags | _IFF_UP))
    if host_network is not None:
        _reach_outside(spec["outside"], host_network)
    with step("set the host name"):
        socket.sethostname(spec["hostname"])
    return [_listener(host, port) for host, port in spec["listen"]]


def open_host_network(spec: dict[str, Any]) -> int | None:
    """A descriptor, where the spec reaches outside; the host's /proc must be there. Raises StepError."""
    if spec["outside"] is None:
        return None
    with step("find the host's network"):
        return os.open(f"/proc/{spec['outside_of']}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def furnish(spec: dict[str, Any], scratch: int) -> None:
    """The mounts that are the sandbox's own, in the root that this process is in. Raises StepError."""
    with step("show /tmp"):
        mounts.place(scratch, "/tmp")  # noqa: S108 - a path inside
    name_user(spec["uid"])


class Visitor:
    """This process, which goes into others' namespaces and comes back."""

    def __init__(self) -> None:
        """Needs its own /proc."""
        self._own = {
            kind: os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
            for name, kind in _KINDS.items()
        }

    def make_socket(self, pidfd: int) -> socket.socket:
        """In the network of a process. Raises StepError."""
        with step("make a socket in the sandbox's network"), self._back():
            syscalls.enter(pidfd, syscalls.CLONE_NEWNET)
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def build(self, pidfd: int, spec: dict[str, Any], scratch: int) -> list[socket.socket]:
        """Everything here, for the sandbox of a process. Returns the listeners. Raises StepError."""
        host_network = open_host_network(spec)
        try:
            with self._back():
                with step("enter the network of a sandbox"):
                    syscalls.enter(pidfd, syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS)
                listeners = open_network(spec, host_network)
                with step("enter the mounts of a sandbox"):
                    syscalls.enter(pidfd, syscalls.CLONE_NEWNS)
                furnish(spec, scratch)
                return listeners
        finally:
            if host_network is not None:
                os.close(host_network)

    @contextmanager
    def _back(self) -> Iterator[None]:
        try:
            yield
        finally:
            for kind, descriptor in self._own.items():
                syscalls.enter(descriptor, kind)


def _listener(host: str, port: int) -> socket.socket:
    with step(f"listen on {host}:{port}"):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        return listener


def _reach_outside(link: dict[str, str], host: int) -> None:
    """Makes a pair of interfaces: eth0 here, the other end in the host's network, where we are for a moment, too. They
    go with this network namespace."""
    with step("find the sandbox's network"):
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
        os.close(here)
