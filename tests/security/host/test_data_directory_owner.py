"""Another user of the host prepares the directory in which a server is going to keep its keys."""

import os
from pathlib import Path

import pytest

from lambent.server.data_directory import require_own
from lambent.server.keys import KeysError

ANOTHER = 1_234


def test_one_s_own_directory(tmp_path: Path) -> None:
    for mode in (0o700, 0o755):
        tmp_path.chmod(mode)
        require_own(tmp_path)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o720, 0o702])
def test_a_directory_that_others_may_write_to(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(KeysError, match="can be written to by other users; chmod 700 "):
        require_own(tmp_path)


def test_a_directory_of_another_user_even_behind_a_link(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("isolating functions needs root here")
    theirs = tmp_path / "theirs"
    theirs.mkdir(0o700)
    os.chown(theirs, ANOTHER, ANOTHER)
    link = tmp_path / "link"
    link.symlink_to(theirs)
    for path in (theirs, link):
        with pytest.raises(KeysError, match="belongs to another user"):
            require_own(path)
