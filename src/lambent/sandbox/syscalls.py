"""System calls that Python's library lacks, on x86_64 and aarch64. Failures are OSError with the kernel's errno."""

import ctypes
import os
import platform
import signal
import struct
from collections.abc import Callable

MACHINE = platform.machine()

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
_CLONE_PIDFD = 0x00001000
_CLONE_PARENT = 0x00008000
_CLONE_INTO_CGROUP = 0x200000000

_SYS_CLONE3 = 435
_SYS_CLOSE_RANGE = 436
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_SYS_UNSHARE = {"x86_64": 272, "aarch64": 97}
_SYS_SETNS = {"x86_64": 308, "aarch64": 268}
_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
_KEYCTL_JOIN_SESSION_KEYRING = 1
_CLOSE_RANGE_CLOEXEC = 4
_CAPABILITY_VERSION_3 = 0x20080522


def _caller() -> Callable[..., int]:
    # PyDLL keeps the interpreter's lock over the call: clone3 must not return into a process that waits for it.
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long

    def call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
        converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
        result: int = libc.syscall(ctypes.c_long(number), *converted)
        if result < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return result

    return call


syscall = _caller()


def clone(flags: int, *, cgroup_descriptor: int | None = None, sibling: bool = False) -> tuple[int, int]:
    """Forks with new namespaces, into a cgroup v2 where given: (pid, pidfd) in the caller, (0, -1) in the child. A
    `sibling` has the caller's parent for its own.

    Only for processes with one thread. Neither the C library nor Python is told, as by `os.fork`: what modules have
    them do at each fork, most of it about locks that nobody holds here, takes the child longer than the fork. A child
    that goes on with Python has to renew what may not be in common."""
    pidfd = ctypes.c_int(-1)
    flags |= _CLONE_PIDFD
    if cgroup_descriptor is not None:
        flags |= _CLONE_INTO_CGROUP
    if sibling:  # its end is told by the signal that ours is
        flags |= _CLONE_PARENT
    told_by = 0 if sibling else signal.SIGCHLD
    address = ctypes.addressof(pidfd)
    arguments = struct.pack("<11Q", flags, address, 0, 0, told_by, 0, 0, 0, 0, 0, cgroup_descriptor or 0)
    pid = syscall(_SYS_CLONE3, arguments, len(arguments))
    return (pid, pidfd.value) if pid else (0, -1)


def unshare(flags: int) -> None:
    syscall(_SYS_UNSHARE[MACHINE], flags)


def enter(descriptor: int, kinds: int) -> None:
    """Moves this thread into a namespace, or those of `kinds` that the process of a pidfd has."""
    syscall(_SYS_SETNS[MACHINE], descriptor, kinds)


def prctl(option: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return syscall({"x86_64": 157, "aarch64": 167}[MACHINE], option, *padded)


def set_capabilities(mask: int, *, inherited: int = 0) -> None:
    """Makes the effective and permitted sets of this thread `mask` (of the first 32)."""
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    syscall(_SYS_CAPSET[MACHINE], header, struct.pack("<6I", mask, mask, inherited, 0, 0, 0))


def join_new_session_keyring() -> None:
    syscall(_SYS_KEYCTL[MACHINE], _KEYCTL_JOIN_SESSION_KEYRING, None)


def check_seccomp_filters() -> None:
    """Raises OSError where this kernel cannot answer a filtered call with an errno."""
    seccomp_get_action_avail, ret_errno = 2, 0x00050000
    number = {"x86_64": 317, "aarch64": 277}[MACHINE]
    syscall(number, seccomp_get_action_avail, 0, ret_errno.to_bytes(4, "little"))


def close_on_exec_from(lowest: int) -> None:
    """Marks every descriptor from `lowest` on."""
    syscall(_SYS_CLOSE_RANGE, lowest, 0xFFFFFFFF, _CLOSE_RANGE_CLOEXEC)


def close_all_but(keep: set[int]) -> None:
    """Closes every descriptor above 2 that is not in `keep`."""
    lowest = 3
    for number in sorted(n for n in keep if n >= lowest):
        if lowest < number:
            syscall(_SYS_CLOSE_RANGE, lowest, number - 1, 0)
        lowest = number + 1
    syscall(_SYS_CLOSE_RANGE, lowest, 0xFFFFFFFF, 0)
