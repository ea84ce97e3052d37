"""Runs a command as a user who is nobody special, from a test that is root: unprivileged.py UID SUBORDINATE COMMAND …

In a mount namespace of its own it gives that user a name, and where SUBORDINATE is not 0, 65,536 ids from that one on
in /etc/subuid and /etc/subgid; and it lets the user see this checkout and this interpreter, wherever they are."""

import os
import sys
import tempfile
from pathlib import Path

from lambent.sandbox import mounts, syscalls

USER = "lambent-test"
IDS = 65_536


def as_user(uid: int, *, subordinate: int) -> list[str]:
    """What goes before a command."""
    return [sys.executable, __file__, str(uid), str(subordinate)]


def main() -> None:
    uid, subordinate, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    syscalls.unshare(syscalls.CLONE_NEWNS)
    mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
    checkout = Path(__file__).resolve().parents[2]
    uncover({checkout, Path(sys.prefix), Path(sys.base_prefix).resolve()})
    with tempfile.TemporaryDirectory() as directory:
        replace(
            "/etc/passwd",
            Path("/etc/passwd").read_text() + f"{USER}:x:{uid}:{uid}::/tmp:/bin/sh\n",
            directory,
        )
        ranges = f"{USER}:{subordinate}:{IDS}\n" if subordinate else ""
        for name in ("/etc/subuid", "/etc/subgid"):
            replace(name, ranges, directory)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execvp(command[0], command)


def uncover(needed: set[Path]) -> None:
    """Where others may not look into a directory above a needed one, puts one in its place that has only those."""
    closed = {closed_above(path) for path in needed} - {None}
    for directory in closed:
        assert directory is not None
        inside = [path for path in needed if path.is_relative_to(directory)]
        trees = [(path, mounts.clone_tree(str(path), 0, recursive=True)) for path in inside]
        mounts.mount("shown", str(directory), "tmpfs", 0, "mode=0755")
        for path, tree in trees:
            path.mkdir(parents=True)
            mounts.place(tree, str(path))


def closed_above(path: Path) -> Path | None:
    return next((above for above in reversed(path.parents) if not above.stat().st_mode & 0o001), None)


def replace(name: str, text: str, directory: str) -> None:
    """Shows a file in the place of another, which may be missing."""
    file = Path(directory, Path(name).name)
    file.write_text(text)
    file.chmod(0o644)
    if not Path(name).exists():
        assert not text, f"{name} is missing: apt-get install uidmap"
        return
    mounts.mount(str(file), name, None, mounts.MS_BIND)


if __name__ == "__main__":
    main()
