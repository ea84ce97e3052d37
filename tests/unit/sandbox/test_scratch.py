from pathlib import Path

import pytest

from lambent.sandbox import scratch
from lambent.sandbox.port import SandboxError
from lambent.sandbox.scratch import ScratchMaker


def test_what_a_full_disk_left_half_made_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]

    def make(path: Path, mib: int) -> None:
        path.touch(exist_ok=False)
        if full.pop():
            full.append(False)
            raise SandboxError("mkfs.ext4: No space left on device")

    monkeypatch.setattr(scratch, "_make_file_system", make)
    monkeypatch.setattr(scratch, "_empty", lambda image: None)
    maker = ScratchMaker(tmp_path)
    (tmp_path / "lambent-scratch").mkdir()
    with pytest.raises(SandboxError):
        maker._template(512)
    assert maker._template(512).exists()
