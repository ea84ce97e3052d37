"""The filter's program, run by a small BPF machine instead of the kernel."""

import errno
import struct

import pytest

from lambent.sandbox import seccomp, syscall_rules
from lambent.sandbox.adoption import FORK_NAMESPACES
from lambent.sandbox.seccomp import ALLOW, AUDIT_ARCH, KILL_PROCESS, fail_with
from lambent.sandbox.syscalls import CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUSER

MACHINES = ("x86_64", "aarch64")
EPERM, ENOSYS, EAFNOSUPPORT = (fail_with(n) for n in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))


def run(program: bytes, architecture: int, number: int, *arguments: int) -> tuple[int, int]:
    """(the answer, how many instructions it took). Fails where the kernel would refuse the program."""
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    instructions = list(struct.iter_unpack("<HBBI", program))
    counter, accumulator, steps = 0, 0, 0
    while True:
        code, if_true, if_false, k = instructions[counter]
        counter, steps = counter + 1, steps + 1
        match code:
            case 0x20:
                assert k % 4 == 0
                (accumulator,) = struct.unpack_from("<I", data, k)
            case 0x05:
                counter += k
            case 0x06:
                return k, steps
            case 0x15 | 0x35 | 0x45:
                tests = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}
                counter += if_true if tests[code] else if_false
            case other:
                raise AssertionError(f"unknown instruction {other:#x}")


def answer(machine: str, number: int, *arguments: int) -> int:
    return run(seccomp.assemble(machine), AUDIT_ARCH[machine], number, *arguments)[0]


def numbers(table: dict[str, tuple[int | None, int | None]], machine: str) -> list[int]:
    return [n for pair in table.values() if (n := pair[MACHINES.index(machine)]) is not None]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_has_the_tables_answer(machine: str) -> None:
    column = MACHINES.index(machine)
    program = seccomp.assemble(machine)
    forbidden, absent = numbers(syscall_rules.FORBIDDEN, machine), numbers(syscall_rules.ABSENT, machine)
    by_arguments = [
        pair[column]
        for pair in (
            syscall_rules.CLONE,
            syscall_rules.SOCKET,
            syscall_rules.SOCKETPAIR,
            syscall_rules.PERSONALITY,
            syscall_rules.IOCTL,
        )
    ]
    for number in range(600):
        got, steps = run(program, AUDIT_ARCH[machine], number)
        assert steps < 25
        if number in by_arguments:
            continue
        if number in forbidden:
            assert got == EPERM, number
        elif number in absent or number > syscall_rules.LAST_KNOWN[column]:
            assert got == ENOSYS, number
        else:
            assert got == ALLOW, number


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("architecture", [0x40000003, 0x40000028, 0, 0xFFFFFFFF])
def test_another_architecture_kills(machine: str, architecture: int) -> None:
    assert run(seccomp.assemble(machine), architecture, 0)[0] == KILL_PROCESS


@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 56, 0xFFFFFFFF])
def test_x32_numbers_do_not_exist(number: int) -> None:
    assert answer("x86_64", number) == ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (17, ALLOW),
        (0x003D0F00, ALLOW),  # a thread
        (0x00004111, ALLOW),  # vfork
        (0x00020011, EPERM),
        (0x02000011, EPERM),
        (0x04000011, EPERM),
        (0x08000011, EPERM),
        (0x10000011, EPERM),
        (0x20000011, EPERM),
        (0x40000011, EPERM),
        (0x7E020000, EPERM),
    ],
)
def test_clone_may_not_make_namespaces(machine: str, flags: int, expected: int) -> None:
    assert answer(machine, syscall_rules.CLONE[MACHINES.index(machine)], flags) == expected


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("family", "protocol", "expected"),
    [
        (1, 0, ALLOW),
        (2, 6, ALLOW),
        (10, 17, ALLOW),
        (16, 0, ALLOW),
        (16, 15, EAFNOSUPPORT),
        (0, 0, EAFNOSUPPORT),
        (3, 0, EAFNOSUPPORT),
        (17, 0, EAFNOSUPPORT),
        (38, 0, EAFNOSUPPORT),
        (40, 0, EAFNOSUPPORT),
    ],
)
def test_socket_families(machine: str, family: int, protocol: int, expected: int) -> None:
    column = MACHINES.index(machine)
    assert answer(machine, syscall_rules.SOCKET[column], family, 1, protocol) == expected
    # Only the low half of the family counts for the kernel, so only it may count for the filter.
    assert answer(machine, syscall_rules.SOCKET[column], family | 1 << 32, 1, protocol) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_that_depend_on_an_argument(machine: str) -> None:
    column = MACHINES.index(machine)
    assert answer(machine, syscall_rules.SOCKETPAIR[column], 1) == ALLOW
    assert answer(machine, syscall_rules.SOCKETPAIR[column], 30) == EAFNOSUPPORT
    assert answer(machine, syscall_rules.PERSONALITY[column], 0) == ALLOW
    assert answer(machine, syscall_rules.PERSONALITY[column], 0xFFFFFFFF) == ALLOW
    assert answer(machine, syscall_rules.PERSONALITY[column], 0x0400000) == EPERM
    assert answer(machine, syscall_rules.IOCTL[column], 0, 0x5401) == ALLOW
    assert answer(machine, syscall_rules.IOCTL[column], 0, 0x5412) == EPERM
    assert answer(machine, syscall_rules.IOCTL[column], 0, 0x541C) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_bans_can_be_lifted_one_by_one(machine: str) -> None:
    column = MACHINES.index(machine)
    program = seccomp.assemble(machine, also_allowed=frozenset({"umount2"}))
    answers = {
        name: run(program, AUDIT_ARCH[machine], syscall_rules.FORBIDDEN[name][column] or 0)[0]
        for name in ("umount2", "mount", "pivot_root")
    }
    assert answers == {"umount2": ALLOW, "mount": EPERM, "pivot_root": EPERM}


@pytest.mark.parametrize("machine", MACHINES)
def test_tables_name_each_number_once(machine: str) -> None:
    every = numbers(syscall_rules.FORBIDDEN | syscall_rules.ABSENT, machine)
    assert len(every) == len(set(every))
    assert len(seccomp.assemble(machine)) // 8 < 4096  # the kernel's limit


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_there_to_be_copied_unshares_one_set_of_namespaces_and_no_other(machine: str) -> None:
    number = syscall_rules.UNSHARE[MACHINES.index(machine)]
    program = seccomp.assemble(machine, unshares=FORK_NAMESPACES)

    def answered(flags: int) -> int:
        return run(program, AUDIT_ARCH[machine], number, flags)[0]

    assert answered(FORK_NAMESPACES) == ALLOW
    for flags in (0, CLONE_NEWUSER, FORK_NAMESPACES | CLONE_NEWNET, FORK_NAMESPACES & ~CLONE_NEWPID):
        assert answered(flags) == EPERM, hex(flags)
    assert answer(machine, number, FORK_NAMESPACES) == EPERM  # nobody else
