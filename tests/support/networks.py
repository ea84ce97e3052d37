"""Networks that a test makes: a host of its own, and what is outside of it, as network namespaces of this machine."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lambent.sandbox import syscalls

HOST, OUTSIDE, METADATA, PRIVATE = "203.0.113.1", "203.0.113.10", "169.254.169.254", "10.1.2.3"
PORT = 8080
_SETUP = f"""
link add name wan type veth peer name lan netns OUTER
addr add {HOST}/24 dev wan
link set wan up
link set lo up
route add default via {OUTSIDE}
"""
_SETUP_OUTSIDE = f"""
addr add {OUTSIDE}/24 dev lan
addr add {METADATA}/32 dev lo
addr add {PRIVATE}/32 dev lo
link set lan up
link set lo up
"""


@contextmanager
def entered(name: str) -> Iterator[None]:
    """This thread, and what it starts, is in the network namespace of that name meanwhile."""
    with Path("/proc/thread-self/ns/net").open("rb") as own, Path("/run/netns", name).open("rb") as other:
        syscalls.enter(other.fileno(), syscalls.CLONE_NEWNET)
        try:
            yield
        finally:
            syscalls.enter(own.fileno(), syscalls.CLONE_NEWNET)


@contextmanager
def host_network() -> Iterator[str]:
    """The name of a network namespace with a way to one outside, which has three addresses. On both, port 8080 of every
    address says who has connected."""
    host, outer = f"lambent-{os.getpid()}-host", f"lambent-{os.getpid()}-outside"
    with ExitStack() as undo:
        for name in (host, outer):
            subprocess.run(["ip", "netns", "add", name], check=True)
            undo.callback(subprocess.run, ["ip", "netns", "del", name], check=True)
        for name, setup in ((host, _SETUP), (outer, _SETUP_OUTSIDE)):
            batch = setup.replace("OUTER", outer)
            subprocess.run(["ip", "-n", name, "-batch", "-"], input=batch, text=True, check=True)
        for name in (host, outer):
            with entered(name):
                listener = socket.create_server(("0.0.0.0", PORT))
            # Closed by hand: accept goes on in its thread until then.
            undo.callback(listener.shutdown, socket.SHUT_RDWR)
            threading.Thread(target=_say_who_comes, args=(listener,), daemon=True).start()
        yield host


def _say_who_comes(listener: socket.socket) -> None:
    with listener, suppress(OSError):
        while True:
            connection, (address, _) = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(address.encode())
