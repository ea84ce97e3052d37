"""The mount system calls, old and new. A mount is handed about as a descriptor until it is put in its place, so that
one process can make it and another, in another mount namespace, can show it."""

import os

from lambent.sandbox.syscalls import MACHINE, syscall

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MNT_DETACH = 2

ATTR_RDONLY = 0x01
ATTR_NOSUID = 0x02
ATTR_NODEV = 0x04
ATTR_NOEXEC = 0x08

READ_ONLY = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 0x04
_FSCONFIG_SET_FLAG = 0
_FSCONFIG_SET_STRING = 1
_FSCONFIG_CMD_CREATE = 6

_SYS_MOUNT = {"x86_64": 165, "aarch64": 40}[MACHINE]
_SYS_UMOUNT2 = {"x86_64": 166, "aarch64": 39}[MACHINE]
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[MACHINE]
_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_FSOPEN, _SYS_FSCONFIG, _SYS_FSMOUNT = 428, 429, 430, 431, 432
_SYS_MOUNT_SETATTR = 442


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    syscall(_SYS_MOUNT, _path(source), _path(target), _path(kind), flags, _path(data))


def unmount(target: str, flags: int = 0) -> None:
    syscall(_SYS_UMOUNT2, _path(target), flags)


def pivot_root(new_root: str, put_old: str) -> None:
    syscall(_SYS_PIVOT_ROOT, _path(new_root), _path(put_old))


def clone_tree(path: str, attributes: int, *, recursive: bool = False) -> int:
    """A detached copy of the mount at `path` (a directory or a file) with `attributes`; a descriptor."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | (_AT_RECURSIVE if recursive else 0)
    descriptor = syscall(_SYS_OPEN_TREE, _AT_FDCWD, _path(path), flags)
    try:
        _set_attributes(descriptor, attributes, recursive=recursive)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def make_filesystem_mount(kind: str, attributes: int, options: dict[str, str | None]) -> int:
    """A detached mount of a file system, with its options (None for a flag); a descriptor."""
    context = syscall(_SYS_FSOPEN, _path(kind), 1)
    try:
        for name, value in options.items():
            command = _FSCONFIG_SET_FLAG if value is None else _FSCONFIG_SET_STRING
            syscall(_SYS_FSCONFIG, context, command, _path(name), _path(value), 0)
        syscall(_SYS_FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0)
        return syscall(_SYS_FSMOUNT, context, 1, attributes)
    finally:
        os.close(context)


def place(descriptor: int, target: str) -> None:
    """Shows a detached mount at `target` in this process's mount namespace."""
    syscall(_SYS_MOVE_MOUNT, descriptor, b"", _AT_FDCWD, _path(target), _MOVE_MOUNT_F_EMPTY_PATH)


def _set_attributes(descriptor: int, attributes: int, *, recursive: bool) -> None:
    # struct mount_attr: set, clear, propagation, user namespace. Private: nothing mounted later shows up inside.
    values = (attributes, 0, MS_PRIVATE, 0)
    structure = b"".join(value.to_bytes(8, "little") for value in values)
    flags = _AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)
    syscall(_SYS_MOUNT_SETATTR, descriptor, b"", flags, structure, len(structure))


def _path(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)
