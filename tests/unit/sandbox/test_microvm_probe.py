from pathlib import Path

from lambent.sandbox.microvm_probe import microvms_missing


def test_without_a_device_there_are_none(tmp_path: Path) -> None:
    assert "is missing" in (microvms_missing(tmp_path / "kvm", "x86_64") or "")


def test_a_device_that_is_none_is_found_out_by_trying(tmp_path: Path) -> None:
    file = tmp_path / "kvm"
    file.write_text("")
    assert "Inappropriate ioctl" in (microvms_missing(file, "x86_64") or "")


def test_where_nobody_has_tried_it_is_not_promised() -> None:
    assert "tried" in (microvms_missing(Path("/dev/null"), "aarch64") or "")
