"""The system call filter: a classic BPF program, assembled here because a library for it would be the only use we make
of one. Pure: from the tables to bytes. A binary search over ranges of numbers keeps every call to about ten steps."""

import errno
import struct
from collections.abc import Sequence

from lambent.sandbox import syscall_rules

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Offsets in struct seccomp_data; arguments are 64 bits, the low half first on both architectures.
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16

_LOAD, _EQUAL, _GREATER_OR_EQUAL, _ANY_BIT, _JUMP, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x05, 0x06

_NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEW*: mount, cgroup, uts, ipc, user, pid, net
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_PERSONALITY_QUERY = 0xFFFFFFFF
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, k"""


def fail_with(number: int) -> int:
    """The filter's answer that makes a call fail with an errno."""
    return _ERRNO | number


def assemble(machine: str, *, also_allowed: frozenset[str] = frozenset(), unshares: int = 0) -> bytes:
    """The program for `machine` (x86_64 or aarch64), without the bans on `also_allowed`. With exactly the flags
    `unshares`, unshare is allowed."""
    column = {"x86_64": 0, "aarch64": 1}[machine]
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    program += _search(_ranges(column, also_allowed, unshares))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


def _ranges(column: int, also_allowed: frozenset[str], unshares: int) -> list[tuple[int, list[Instruction]]]:
    """(first number, what to do from it on), ascending; numbers between two special ones are allowed."""
    special = dict(_special(column, also_allowed))
    if unshares:
        special[syscall_rules.UNSHARE[column]] = _only((unshares,), errno.EPERM)
    ranges: list[tuple[int, list[Instruction]]] = [] if 0 in special else [(0, _answer(ALLOW))]
    for number in sorted(special):
        ranges.append((number, special[number]))
        if number + 1 not in special:
            ranges.append((number + 1, _answer(ALLOW)))
    ranges.append((syscall_rules.LAST_KNOWN[column] + 1, _answer(fail_with(errno.ENOSYS))))
    return ranges


def _special(column: int, also_allowed: frozenset[str]) -> list[tuple[int, list[Instruction]]]:
    listed: list[tuple[int, list[Instruction]]] = []
    for table, answer in ((syscall_rules.ABSENT, errno.ENOSYS), (syscall_rules.FORBIDDEN, errno.EPERM)):
        for name, numbers in table.items():
            number = numbers[column]
            if number is not None and name not in also_allowed:
                listed.append((number, _answer(fail_with(answer))))
    listed += [
        (syscall_rules.CLONE[column], _clone()),
        (syscall_rules.SOCKET[column], _socket()),
        (syscall_rules.SOCKETPAIR[column], _only((_AF_UNIX,), errno.EAFNOSUPPORT)),
        (syscall_rules.PERSONALITY[column], _only((0, _PERSONALITY_QUERY), errno.EPERM)),
        (syscall_rules.IOCTL[column], _ioctl()),
    ]
    return listed


def _search(ranges: Sequence[tuple[int, list[Instruction]]]) -> list[Instruction]:
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below, above = _search(ranges[:middle]), _search(ranges[middle:])
    pivot = ranges[middle][0]
    if len(below) <= 255:
        return [(_GREATER_OR_EQUAL, len(below), 0, pivot), *below, *above]
    # A conditional jump reaches 255 instructions; an unconditional one reaches further.
    return [(_GREATER_OR_EQUAL, 0, 1, pivot), (_JUMP, 0, 0, len(below)), *below, *above]


def _answer(answer: int) -> list[Instruction]:
    return [(_RETURN, 0, 0, answer)]


def _load_argument(index: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENT + 8 * index)


def _only(values: Sequence[int], otherwise: int) -> list[Instruction]:
    """Allows the call where the low half of its first argument is one of `values`."""
    tests = [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [_load_argument(0), *tests, *_answer(fail_with(otherwise)), *_answer(ALLOW)]


def _clone() -> list[Instruction]:
    return [
        _load_argument(0),
        (_ANY_BIT, 0, 1, _NAMESPACE_FLAGS),
        *_answer(fail_with(errno.EPERM)),
        *_answer(ALLOW),
    ]


def _socket() -> list[Instruction]:
    """Unix and internet sockets, and the netlink socket with which C libraries list interfaces."""
    return [
        _load_argument(0),
        (_EQUAL, 6, 0, _AF_UNIX),
        (_EQUAL, 5, 0, _AF_INET),
        (_EQUAL, 4, 0, _AF_INET6),
        (_EQUAL, 0, 2, _AF_NETLINK),
        _load_argument(2),
        (_EQUAL, 1, 0, _NETLINK_ROUTE),
        *_answer(fail_with(errno.EAFNOSUPPORT)),
        *_answer(ALLOW),
    ]


def _ioctl() -> list[Instruction]:
    """Everything but typing into a terminal on somebody's behalf."""
    return [
        _load_argument(1),
        (_EQUAL, 2, 0, _TIOCSTI),
        (_EQUAL, 1, 0, _TIOCLINUX),
        *_answer(ALLOW),
        *_answer(fail_with(errno.EPERM)),
    ]
