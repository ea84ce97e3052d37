"""Files of objects on a real disk: what crashes and failures leave."""

import os
from errno import ENOSPC
from pathlib import Path

import pytest

from lambent.store.object_files import ObjectFiles
from lambent.store.ports.errors import ContentStoreFullError

_STARTS_MOST = 100
"""Until the clock of the file system has moved on."""


class Unread:
    def update(self, data: bytes) -> None: ...

    def finish(self) -> None: ...


async def received(directory: Path, node: str = "") -> str:
    files = ObjectFiles(directory, node)
    files.open()
    content = await files.receive(b"whole, and referred to by nothing", Unread())
    files.close()
    return content.name


async def named_after_a_start(directory: Path, node: str = "") -> list[str]:
    files = ObjectFiles(directory, node)
    files.open()
    found = [name async for names in files.old_names() for name in names]
    files.close()
    return found


def file_names(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.is_file()]


async def test_what_a_crash_leaves_is_known_by_the_next_start(tmp_path: Path) -> None:
    left = await received(tmp_path)
    for _ in range(_STARTS_MOST):
        if await named_after_a_start(tmp_path) == [left]:
            return
    pytest.fail("it was never named")


async def test_what_another_node_has_just_received_is_no_stray(tmp_path: Path) -> None:
    await received(tmp_path, "one")
    for _ in range(3):
        assert await named_after_a_start(tmp_path, "two") == []


async def test_a_disk_that_is_full_when_it_syncs_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ObjectFiles(tmp_path)
    files.open()

    def full(descriptor: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(ContentStoreFullError):
            await files.receive(b"x" * 200_000, Unread())
    files.close()
    assert file_names(tmp_path) == ["opened"]
