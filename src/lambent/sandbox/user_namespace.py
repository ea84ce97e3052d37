"""The user namespace in which an ordinary user may do what takes root elsewhere, and the user ids in it."""

import os
import pwd
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lambent.sandbox import messages, syscalls
from lambent.sandbox.steps import step

SANDBOX_IDS: Final = 1000
"""The first user id inside that a sandbox may have. What stands behind it on the host is in /etc/subuid."""
_IDS_MOST: Final = 65_536
_IDS_FEWEST: Final = 64
_HELPERS: Final = ("newuidmap", "newgidmap")

Rows = tuple[tuple[int, int, int], ...]
"""What the kernel's uid_map has: first inside, first outside, how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdMap:
    """`helped` where it takes newuidmap and newgidmap, which may give more than one's own id. Else it is `single`."""

    uids: Rows
    gids: Rows

    @property
    def helped(self) -> bool:
        return len(self.uids) > 1

    @property
    def single(self) -> bool:
        return not self.helped

    @property
    def count(self) -> int:
        """How many ids sandboxes have."""
        return self.uids[-1][2]


def find_id_map(etc: Path = Path("/etc")) -> tuple[IdMap, str | None]:
    """With a range of one's own for sandboxes where that can be had; else with one's own id alone, and what would mend
    that."""
    uid, gid = os.getuid(), os.getgid()
    alone = IdMap(uids=((SANDBOX_IDS, uid, 1),), gids=((SANDBOX_IDS, gid, 1),))
    if any(shutil.which(helper) is None for helper in _HELPERS):
        return alone, "newuidmap is missing: apt-get install uidmap"
    name = _user_name(uid)
    uids, gids = (_largest(_ranges(etc / file, name, uid)) for file in ("subuid", "subgid"))
    count = min(uids[1], gids[1], _IDS_MOST)
    if name is None or count < _IDS_FEWEST:
        who = name or uid
        mend = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {who}"
        return alone, f"{who} has no range in /etc/subuid and /etc/subgid: {mend}"
    both = [((0, own, 1), (SANDBOX_IDS, first, count)) for own, first in ((uid, uids[0]), (gid, gids[0]))]
    return IdMap(uids=both[0], gids=both[1]), None


def user_namespaces_missing(proc: Path = Path("/proc")) -> str | None:
    """Why this user can make none, with what mends it; None where nothing speaks against it."""
    for path, forbidding, mend in (
        ("sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
        ("sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ):
        setting = proc / path
        if setting.exists() and setting.read_text().strip() == forbidding:
            return f"user namespaces are for root only here ({setting} is {forbidding}): sudo {mend}"
    return None


def enter_user_namespace(control: socket.socket, ids: dict[str, Any]) -> None:
    """For a process with one thread: from here on it has every capability, in the new namespace only. Raises StepError.

    `ids` is {"helped", "uids", "gids"}. Where it is helped, whoever is at the other end of `control` is told {"event":
    "unmapped"}, and answers when it has called the helpers."""
    with step("take a user namespace"):
        syscalls.unshare(syscalls.CLONE_NEWUSER)
    if ids["helped"]:
        messages.send(control, {"event": "unmapped"})
        if messages.receive(control) is None:
            os._exit(1)
        return
    with step("map the own user id"):
        _write("setgroups", "deny")  # without this, a group that takes rights away could be left
        _write("uid_map", _as_text(ids["uids"]))
        _write("gid_map", _as_text(ids["gids"]))


def helper_commands(ids: IdMap, pid: int) -> list[list[str]]:
    """What gives the new namespace of `pid` its ids."""
    return [
        [helper, str(pid), *(str(number) for row in rows for number in row)]
        for helper, rows in zip(_HELPERS, (ids.uids, ids.gids), strict=True)
    ]


def _as_text(rows: Rows) -> str:
    return "\n".join(" ".join(map(str, row)) for row in rows)


def _write(name: str, text: str) -> None:
    # In one write, as the kernel demands.
    descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None  # nor would newuidmap know whom to ask for


def _ranges(file: Path, name: str | None, uid: int) -> Iterator[tuple[int, int]]:
    """(first, count) of each line for this user: NAME:FIRST:COUNT."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        owner, _, rest = line.partition(":")
        first, _, count = rest.partition(":")
        if owner in (name, str(uid)) and first.isdigit() and count.isdigit():
            yield int(first), int(count)


def _largest(ranges: Iterator[tuple[int, int]]) -> tuple[int, int]:
    return max(ranges, key=lambda one: one[1], default=(0, 0))
