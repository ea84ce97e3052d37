"""What this machine offers for sandboxes, found by trying, for `lambent doctor`."""

import errno
import os
import platform
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lambent.sandbox import cgroup_detection, mounts, syscalls
from lambent.sandbox.namespaces import UID_COUNT, UID_FIRST
from lambent.sandbox.scratch import loop_devices_missing
from lambent.sandbox.seccomp import AUDIT_ARCH
from lambent.sandbox.user_namespace import find_id_map, user_namespaces_missing

KERNEL_MIN = (5, 14)
"""mount_setattr came with 5.12, cgroup.kill and the CPU burst with 5.14."""

_NAMESPACES = {"mnt": "mount", "pid": "pid", "net": "network", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup"}


@dataclass(frozen=True, slots=True)
class Check:
    """`mend` is what to do where not `ok`, a command where one will do; empty where nothing is wrong."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def probe(*, uid_first: int = UID_FIRST, uid_count: int = UID_COUNT) -> list[Check]:
    """Every check, in the order in which they matter. Changes nothing."""
    return [
        _root(),
        _kernel(platform.release()),
        _machine(platform.machine()),
        *_namespaces(),
        _mount_api(),
        _seccomp(),
        _cgroups(),
        _loop_devices(),
        _uid_range(uid_first, uid_count),
    ]


def probe_as_user() -> list[Check]:
    """The same for a user who is not root, and who has user namespaces instead."""
    return [
        _kernel(platform.release()),
        _machine(platform.machine()),
        _user_namespaces(),
        *_namespaces(),
        _subordinate_ids(),
        _seccomp(),
    ]


def _user_namespaces() -> Check:
    reason = user_namespaces_missing()
    if reason is None:
        return Check("user namespace", True, "available")
    detail, _, mend = reason.partition(": ")
    return Check("user namespace", False, detail, mend)


def _subordinate_ids() -> Check:
    ids, reason = find_id_map()
    if reason is None:
        return Check("sandbox users", True, f"{ids.count} of /etc/subuid, from {ids.uids[-1][1]} on")
    detail, _, mend = reason.partition(": ")
    return Check("sandbox users", False, f"{detail}; all environments are one user", mend)


def _root() -> Check:
    if os.geteuid() == 0:
        return Check("root", True, "running as root")
    return Check("root", False, f"running as uid {os.geteuid()}", "sudo lambent start")


def _kernel(release: str) -> Check:
    found = re.match(r"(\d+)\.(\d+)", release)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    wanted = ".".join(map(str, KERNEL_MIN))
    if version >= KERNEL_MIN:
        return Check("kernel", True, f"Linux {release}")
    return Check("kernel", False, f"Linux {release}", f"run Linux {wanted} or newer")


def _machine(machine: str) -> Check:
    if machine in AUDIT_ARCH:
        return Check("machine", True, machine)
    return Check(
        "machine", False, f"no system call filter for {machine}", f"use one of {', '.join(AUDIT_ARCH)}"
    )


def _namespaces() -> Iterator[Check]:
    for name, word in _NAMESPACES.items():
        limit = Path(f"/proc/sys/user/max_{name}_namespaces")
        if not Path(f"/proc/self/ns/{name}").exists():
            yield Check(f"{word} namespace", False, "the kernel has none", "run a kernel with namespaces")
        elif limit.exists() and int(limit.read_text()) == 0:
            mend = f"sysctl user.max_{name}_namespaces=10000"
            yield Check(f"{word} namespace", False, f"{limit} is 0", mend)
        else:
            yield Check(f"{word} namespace", True, "available")


def _mount_api() -> Check:
    try:
        os.close(mounts.clone_tree("/", mounts.ATTR_RDONLY))
    except OSError as error:
        mend = "run Linux 5.12 or newer" if error.errno == errno.ENOSYS else "run as root, with CAP_SYS_ADMIN"
        return Check("mounting code", False, f"open_tree or mount_setattr: {error.strerror}", mend)
    return Check("mounting code", True, "open_tree and mount_setattr work")


def _seccomp() -> Check:
    try:
        syscalls.check_seccomp_filters()
    except OSError as error:
        return Check(
            "system call filter", False, f"seccomp: {error.strerror}", "run a kernel with seccomp filters"
        )
    return Check("system call filter", True, "seccomp filters work")


def _cgroups() -> Check:
    layout = cgroup_detection.detect_layout()
    if layout == "none":
        mend = "mount -t cgroup2 cgroup2 /sys/fs/cgroup"
        return Check("cgroups", False, "no hierarchy with memory, cpu and pids", mend)
    return Check("cgroups", True, layout)


def _loop_devices() -> Check:
    reason = loop_devices_missing()
    if reason is None:
        return Check("scratch disk", True, "loop devices and mkfs.ext4 are there")
    detail, _, mend = reason.partition(": ")
    return Check("scratch disk", False, f"{detail}; files in /tmp count against the memory limit", mend)


def _uid_range(first: int, count: int) -> Check:
    taken = [entry.pw_name for entry in pwd.getpwall() if first <= entry.pw_uid < first + count]
    if taken:
        return Check(
            "sandbox users", False, f"{', '.join(taken)} in {first}-{first + count - 1}", "choose other uids"
        )
    return Check("sandbox users", True, f"{first}-{first + count - 1}")
