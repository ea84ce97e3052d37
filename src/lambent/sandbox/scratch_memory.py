"""A /tmp in memory, limited in size and in files. Imports little: the spawner makes some, too."""

from lambent.sandbox import mounts
from lambent.sandbox.steps import step

_FILES_FEWEST = 16_384


def make_tmpfs(mib: int) -> int:
    """A detached mount for everybody, which is the root's of the namespace that makes it; a descriptor. Raises
    StepError."""
    with step("mount a tmpfs"):
        files = max(_FILES_FEWEST, mib * 16)
        options: dict[str, str | None] = {"size": f"{mib}m", "mode": "1777", "nr_inodes": str(files)}
        return mounts.make_filesystem_mount("tmpfs", mounts.ATTR_NOSUID | mounts.ATTR_NODEV, options)
