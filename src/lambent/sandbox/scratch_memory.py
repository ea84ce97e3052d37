"""A /tmp in memory, limited in size and in files. Imports little: the spawner makes some, too."""

import os

from lambent.sandbox import mounts
from lambent.sandbox.steps import step

_FILES_FEWEST = 16_384


def make_tmpfs(mib: int, uid: int) -> int:
    """A detached mount that belongs to `uid`; a descriptor. Raises StepError."""
    with step("mount a tmpfs"):
        files = max(_FILES_FEWEST, mib * 16)
        options: dict[str, str | None] = {"size": f"{mib}m", "mode": "0700", "nr_inodes": str(files)}
        mount = mounts.make_filesystem_mount("tmpfs", mounts.ATTR_NOSUID | mounts.ATTR_NODEV, options)
    try:
        with step(f"give /tmp to uid {uid}"):
            os.chown(f"/proc/self/fd/{mount}", uid, uid)
    except BaseException:
        os.close(mount)
        raise
    return mount
