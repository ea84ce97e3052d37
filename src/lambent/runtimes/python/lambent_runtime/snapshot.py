"""SnapStart: this process, initialized, is a snapshot, of which copies are made. See docs/internals/snapshots.md.

Needs what Python has since 3.9; AWS offers SnapStart from 3.12 on.
"""

import array
import ctypes
import gc
import json
import os
import random
import socket
import sys

from .errors import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAMESPACES = 0x10000000 | 0x00020000 | 0x20000000 | 0x08000000 | 0x04000000 | 0x02000000
"""CLONE_NEW* user, ns, pid, ipc, uts, cgroup: exactly what the call filter lets us unshare."""
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 4, 24
_CAPABILITY_VERSION_3 = 0x20080522
_MESSAGE_BYTES = 1 << 16


def hooks(name: str) -> "list[tuple[Any, tuple[Any, ...], dict[str, Any]]]":
    """What the function registered with the module `snapshot_restore_py`, where it has imported it."""
    module = sys.modules.get("snapshot_restore_py")
    return list(getattr(module, name)()) if module is not None else []


def prepare() -> None:
    """Runs what is to be run before the snapshot, the last registered first, and makes the process fit to be copied.
    Raises what a hook raises, and Fault."""
    for function, positional, named in reversed(hooks("get_before_snapshot")):
        function(*positional, **named)
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - pathlib is slow to import
        raise Fault(
            "Runtime.SnapshotError", "Threads that were started during initialization cannot be restored"
        )
    gc.collect()
    gc.freeze()  # copies share these pages as long as nobody counts in them


def restored() -> None:
    """Makes the copy differ from its siblings, and runs what is to be run after a restore, in order."""
    random.seed()
    for function, positional, named in hooks("get_after_restore"):
        function(*positional, **named)


def be_copied(line: int) -> "dict[int, int]":
    """Makes copies as long as they are asked for. Returns in each of them, and nowhere else, with its descriptors."""
    asked = socket.socket(fileno=line)
    while True:
        received = _receive(asked)
        if received is None:
            os._exit(0)
        message, descriptors = received
        child = os.fork()
        if child == 0:
            asked.close()
            return _become_copy(dict(zip(message["files"], descriptors[1:], strict=True)), descriptors[0])
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(child, 0)


def _become_copy(files: "dict[int, int]", control: int) -> "dict[int, int]":
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    # Only Python 3.12 has os.unshare.
    if libc.unshare(_NAMESPACES) != 0 or os.fork() != 0:
        os._exit(0)
    # Pid 1 of the new namespace; the parent of what it starts, as the kernel shields it from signals.
    line = socket.socket(fileno=control)
    own = os.pidfd_open(os.getpid())
    _send(line, {"forked": True}, [own])
    os.close(own)
    if _receive(line) is None:
        os._exit(0)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    _give_up_capabilities(libc)
    process = os.fork()
    if process != 0:
        for descriptor in files.values():
            os.close(descriptor)
        _wait_and_tell(process, line)
    line.close()
    os.setsid()
    return files


def _give_up_capabilities(libc: ctypes.CDLL) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    for capability in range(64):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if libc.capset(header, none) != 0:
        os._exit(1)
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def _wait_and_tell(process: int, line: socket.socket) -> None:
    while True:
        pid, status = os.wait()
        if pid == process:
            _send(line, {"exit": status}, [])
            os._exit(0)


def _receive(line: socket.socket) -> "tuple[dict[str, Any], list[int]] | None":
    try:
        data, descriptors, _, _ = socket.recv_fds(line, _MESSAGE_BYTES, 16)
    except ConnectionResetError:
        return None
    return (json.loads(data), descriptors) if data else None


def _send(line: socket.socket, message: "dict[str, Any]", descriptors: "list[int]") -> None:
    """Ends this process where nobody is there to hear it."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    try:
        line.sendmsg([json.dumps(message).encode()], rights)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
