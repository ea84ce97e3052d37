"""The read-only root of sandboxes, made once for each Root by the spawner in its own mount namespace; every sandbox is
born with a copy of that namespace and only has to step into it."""
# Paths are strings: supervisors use this between clone and start, where pathlib's objects cost.
# ruff: noqa: PTH102, PTH103, PTH106, PTH108, PTH110, PTH112, PTH120, PTH123, PTH211

import os
import stat
from typing import Any

from lambent.sandbox import mounts
from lambent.sandbox.steps import step

_READ_ONLY = mounts.READ_ONLY
PROC = mounts.ATTR_RDONLY | mounts.ATTR_NOSUID | mounts.ATTR_NODEV | mounts.ATTR_NOEXEC
"""How a /proc is mounted."""
_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_PASSWD = "/etc/passwd"  # noqa: S105 - a path
_UID = "{uid}"
_MAKING = "/tmp"  # noqa: S108 - a path inside, not a temporary file
# Readable or writable by root only, or about the whole machine; hidden all the same, as a second line.
_MASKED = (
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/timer_list",
    "/proc/sysrq-trigger",
    "/proc/kallsyms",
    "/proc/kmsg",
    "/proc/modules",
)


def build_root(directory: str, root: dict[str, Any]) -> None:
    """Mounts a Root (`binds` [[source, target]], `links`, `files`, `mount_points`) at the new `directory`.
    Raises StepError; then nothing is mounted there."""
    with step(f"make the root {directory}"):
        os.mkdir(directory)
        mounts.mount("lambent", directory, "tmpfs", mounts.MS_NOSUID | mounts.MS_NODEV, "mode=0755,size=16m")
    try:
        _fill(directory, root)
        with step("make the root read-only"):
            flags = mounts.MS_REMOUNT | mounts.MS_BIND | mounts.MS_RDONLY | mounts.MS_NOSUID | mounts.MS_NODEV
            mounts.mount(None, directory, None, flags)
    except BaseException:
        mounts.unmount(directory, mounts.MNT_DETACH)
        os.rmdir(directory)
        raise


def drop_root(directory: str) -> None:
    """Takes away what `build_root` made. Mount namespaces that were copied keep it."""
    mounts.unmount(directory, mounts.MNT_DETACH)
    os.rmdir(directory)


def _fill(directory: str, root: dict[str, Any]) -> None:
    for name in ("/proc", "/dev", "/tmp", *root["mount_points"]):  # noqa: S108 - a path inside, not a temporary file
        with step(f"make {name}"):
            os.makedirs(directory + name, exist_ok=True)
    for source, target in sorted(root["binds"], key=lambda bind: len(bind[1])):
        with step(f"show {source} at {target}"):
            _bind(source, directory + target)
    for path, text in root["files"].items():
        with step(f"write {path}"):
            _write_file(directory + path, text)
    for path, destination in root["links"].items():
        with step(f"link {path}"):
            os.makedirs(os.path.dirname(directory + path), exist_ok=True)
            os.symlink(destination, directory + path)
    _make_devices(directory + "/dev")


def _bind(source: str, target: str) -> None:
    tree = mounts.clone_tree(source, _READ_ONLY, recursive=True)
    try:
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        else:
            _write_file(target, "")
        mounts.place(tree, target)
    finally:
        os.close(tree)


def _write_file(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "x", encoding="utf-8") as file:
        file.write(text)


def _make_devices(directory: str) -> None:
    """A /dev of its own mount, because the root around it allows no devices."""
    with step("make /dev"):
        flags = mounts.MS_NOSUID | mounts.MS_NOEXEC
        mounts.mount("dev", directory, "tmpfs", flags, "mode=0755,size=64k")
        umask = os.umask(0)
        for name, number in _DEVICES.items():
            _make_device(directory, name, os.makedev(*number))
        os.umask(umask)
        for name, destination in _DEVICE_LINKS.items():
            os.symlink(destination, f"{directory}/{name}")
        mounts.mount(None, directory, None, flags | mounts.MS_REMOUNT | mounts.MS_BIND | mounts.MS_RDONLY)


def _make_device(directory: str, name: str, number: int) -> None:
    try:
        os.mknod(f"{directory}/{name}", stat.S_IFCHR | 0o666, number)
    except PermissionError:  # in a user namespace nobody makes devices; those of the host may be shown
        _write_file(f"{directory}/{name}", "")
        device = mounts.clone_tree(f"/dev/{name}", mounts.ATTR_NOSUID | mounts.ATTR_NOEXEC)
        mounts.place(device, f"{directory}/{name}")
        os.close(device)


def enter_root(directory: str) -> None:
    """Makes `directory` the root of this mount namespace, with a /proc of this pid namespace. Raises StepError."""
    _keep_private()
    # While the host's is still there to be seen, without which a user namespace gets none.
    with step("mount /proc"):
        flags = mounts.MS_RDONLY | mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC
        mounts.mount("proc", f"{directory}/proc", "proc", flags)
    _pivot_into(directory)
    mask_proc()


def enter_root_of_zygote(directory: str, code: str) -> None:
    """The same for a process that is to be copied: with the /proc that there is, which copies replace, and with the
    directory `code` at /tmp. Raises StepError."""
    _keep_private()
    with step("show /proc"):
        mounts.mount("/proc", f"{directory}/proc", None, mounts.MS_BIND | mounts.MS_REC)
    with step(f"show {code}"):
        tree = mounts.clone_tree(code, _READ_ONLY)
        mounts.place(tree, directory + _MAKING)
        os.close(tree)
    _pivot_into(directory)


def renew_proc() -> None:
    """In a copy of the mount namespace of a zygote: a /proc of this pid namespace, and nothing below it.
    Raises StepError."""
    with step("make a /proc"):
        proc = mounts.make_filesystem_mount("proc", PROC, {})
    with step("replace /proc"):
        mounts.unmount("/proc", mounts.MNT_DETACH)
        mounts.place(proc, "/proc")
        os.close(proc)
    mask_proc()


def _keep_private() -> None:
    with step("keep mounts private"):
        mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)


def _pivot_into(directory: str) -> None:
    with step("enter the root"):
        os.chdir(directory)
        mounts.pivot_root(".", ".")  # the old root now lies over the new one, and comes off:
        mounts.unmount(".", mounts.MNT_DETACH)
        os.chdir("/")


def mask_proc() -> None:
    """Raises StepError."""
    for path in _MASKED:
        if os.path.exists(path):
            with step(f"mask {path}"):
                mounts.mount("/dev/null", path, None, mounts.MS_BIND)


def name_user(uid: int) -> None:
    """Where the root's /etc/passwd has a place for it, one with this uid is laid over it: a file of the sandbox's own
    /tmp, which is there and empty, without a name. (A file system for it would have to be unmounted again, for which
    the kernel waits milliseconds.) Raises StepError."""
    try:
        with open(_PASSWD, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return
    if _UID not in text:
        return
    with step("name the user"):
        path = f"{_MAKING}/passwd"
        _write_file(path, text.replace(_UID, str(uid)))
        made = mounts.clone_tree(path, _READ_ONLY)
        mounts.place(made, _PASSWD)
        os.close(made)
        os.unlink(path)
