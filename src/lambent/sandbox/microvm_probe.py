"""Whether this machine can run virtual machines, found by running one of a single instruction. For `lambent doctor`,
and for the backend that docs/internals/microvm.md designs. A /dev/kvm that can be opened says less; whether a whole
kernel boots, only a kernel can tell."""

import ctypes
import fcntl
import mmap
import os
import platform
import struct
from contextlib import ExitStack
from pathlib import Path
from typing import Final

_GET_API_VERSION, _CREATE_VM, _GET_VCPU_MMAP_SIZE = 0xAE00, 0xAE01, 0xAE04
_CREATE_VCPU, _SET_USER_MEMORY_REGION, _RUN = 0xAE41, 0x4020AE46, 0xAE80
_SET_REGS, _GET_SREGS, _SET_SREGS = 0x4090AE82, 0x8138AE83, 0x4138AE84
_API_VERSION: Final = 12
_EXIT_HLT: Final = 5
_HLT: Final = b"\xf4"
_CODE_AT: Final = 0x1000
_SREGS_BYTES, _SEGMENT_BYTES = 0x138, 24
_DEVICE: Final = Path("/dev/kvm")


def microvms_missing(device: Path = _DEVICE, machine: str | None = None) -> str | None:
    """Why no virtual machine runs here; None where one has."""
    if (machine or platform.machine()) != "x86_64":
        return "nobody has tried it on this architecture"
    if not device.exists():
        return f"{device} is missing: the processor or whoever virtualizes this machine does not offer it"
    try:
        reason = _run_one(device)
    except OSError as error:
        return f"{device}: {error.strerror}"
    return None if reason == _EXIT_HLT else f"{device}: a virtual machine does not run (exit {reason})"


def _run_one(device: Path) -> int:
    """Runs HLT in real mode; why the machine stopped, in KVM's numbers."""
    with ExitStack() as undo:

        def owned(descriptor: int) -> int:
            undo.callback(os.close, descriptor)
            return descriptor

        kvm = owned(os.open(device, os.O_RDWR | os.O_CLOEXEC))
        if fcntl.ioctl(kvm, _GET_API_VERSION, 0) != _API_VERSION:
            return -1
        vm = owned(fcntl.ioctl(kvm, _CREATE_VM, 0))
        memory = undo.enter_context(mmap.mmap(-1, mmap.PAGESIZE))
        memory[: len(_HLT)] = _HLT
        region = struct.pack("=IIQQQ", 0, 0, _CODE_AT, mmap.PAGESIZE, _address_of(memory))
        fcntl.ioctl(vm, _SET_USER_MEMORY_REGION, region)
        vcpu = owned(fcntl.ioctl(vm, _CREATE_VCPU, 0))
        state = undo.enter_context(mmap.mmap(vcpu, fcntl.ioctl(kvm, _GET_VCPU_MMAP_SIZE, 0)))
        _start_at_code(vcpu)
        fcntl.ioctl(vcpu, _RUN, 0)
        (reason,) = struct.unpack_from("=I", state, 8)
        return int(reason)


def _start_at_code(vcpu: int) -> None:
    special = bytearray(_SREGS_BYTES)
    fcntl.ioctl(vcpu, _GET_SREGS, special, True)
    struct.pack_into("=QIH", special, 0, 0, 0xFFFF, 0)  # the code segment: base, limit, selector
    fcntl.ioctl(vcpu, _SET_SREGS, bytes(special))
    registers = struct.pack("=18Q", *[0] * 16, _CODE_AT, 2)  # …, rip, rflags
    fcntl.ioctl(vcpu, _SET_REGS, registers)


def _address_of(memory: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
