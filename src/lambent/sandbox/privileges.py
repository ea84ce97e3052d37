"""How a process inside gives up what it could do, for good, in the one order that works."""

import ctypes
import os
import resource
from typing import NamedTuple

from lambent.sandbox import syscalls
from lambent.sandbox.steps import step

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE, _PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9
_CAP_KILL, _CAP_SETGID, _CAP_SETUID, _CAP_SYS_ADMIN, _CAP_SYS_RESOURCE = (
    1 << 5,
    1 << 6,
    1 << 7,
    1 << 21,
    1 << 24,
)

# NOROOT, KEEP_CAPS off, no ambient capabilities, each locked. NO_SETUID_FIXUP is locked off: leaving uid 0 must clear.
_SECUREBITS = 0x01 | 0x02 | 0x08 | 0x20 | 0x40 | 0x80


class FilterProgram:
    """A seccomp program in the form that prctl takes, made once and used by every process that comes after."""

    def __init__(self, program: bytes) -> None:
        self._instructions = ctypes.create_string_buffer(program, len(program))
        address = ctypes.addressof(self._instructions)
        # struct sock_fprog: length (2 bytes, padded to 8), pointer.
        self._header = (len(program) // 8).to_bytes(8, "little") + address.to_bytes(8, "little")

    def install(self) -> None:
        syscalls.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, self._header)


class Programs(NamedTuple):
    process: FilterProgram
    supervisor: FilterProgram
    forking: FilterProgram
    """Of a process that is there to be copied."""


def die_with_parent() -> None:
    syscalls.prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def limit_resources(*, descriptors_max: int, processes_max: int | None) -> None:
    with step(f"limit descriptors to {descriptors_max}"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors_max, descriptors_max))
    if processes_max is not None:
        with step(f"limit processes to {processes_max}"):
            resource.setrlimit(resource.RLIMIT_NPROC, (processes_max, processes_max))
    with step("limit core dumps and locked memory"):
        # One byte, not none: the kernel would still run the machine's core dump handler, as root, at a limit of 0.
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))


def limit_data(pid: int, limit_bytes: int) -> None:
    """Of each process that `pid` is or forks from now on."""
    with step(f"limit data to {limit_bytes}"):
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def give_up_for_good() -> None:
    """Makes what is given up from now on impossible to get back, in every process that is forked from this one, too.
    Nothing is given up yet."""
    with step("drop the capability bounding set"):
        _drop_bounding_set()
    with step("lock the secure bits"):
        syscalls.prctl(_PR_SET_SECUREBITS, _SECUREBITS)
        syscalls.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    with step("forbid new privileges"):
        syscalls.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def confine(program: FilterProgram, *, leave_groups: bool) -> None:
    """Filters system calls. Still as the same user, who must have given up for good before."""
    if leave_groups:
        with step("leave the groups"):
            os.setgroups([])
    with step("filter system calls"):
        program.install()


def keep_mounting(*, and_signalling: bool) -> None:
    """Gives up every capability but those to attach code and, at last, to become nobody, or to `keep_signalling`."""
    more = _CAP_KILL | _CAP_SYS_RESOURCE if and_signalling else 0
    with step("give up capabilities"):
        syscalls.set_capabilities(_CAP_SETGID | _CAP_SETUID | _CAP_SYS_ADMIN | more)


def keep_signalling() -> None:
    """Gives up every capability but that to signal others, of whom there are only those in this pid namespace."""
    with step("give up every capability but one"):
        syscalls.set_capabilities(_CAP_KILL)


def become(uid: int) -> None:
    """Becomes `uid`, also as group, without any capability."""
    with step(f"become uid {uid}"):
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    with step("give up every capability"):
        syscalls.set_capabilities(0)
    with step("end with the parent"):
        die_with_parent()  # again: changing the uid cleared it


def keep_over_exec() -> None:
    """Has what is executed next keep the first 32 capabilities, all of which we have, where it is not uid 0."""
    if os.geteuid() == 0:
        return
    with step("keep capabilities"):
        syscalls.set_capabilities(0xFFFFFFFF, inherited=0xFFFFFFFF)
        for capability in range(32):
            syscalls.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def be_dumpable() -> None:
    """As whoever executes something is: else one's own /proc belongs to root, as leaving uid 0 has made it."""
    with step("be dumpable"):
        syscalls.prctl(_PR_SET_DUMPABLE, 1)


def _drop_bounding_set() -> None:
    for capability in range(64):
        try:
            syscalls.prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            if (
                capability <= 40
            ):  # CAP_CHECKPOINT_RESTORE, the last one of Linux 5.9: every kernel we run on knows it
                raise
            return
