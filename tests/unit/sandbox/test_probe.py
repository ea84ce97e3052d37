import pytest

from lambent.sandbox import probe


@pytest.mark.parametrize(
    ("release", "ok"), [("6.18.1-x", True), ("5.14.0", True), ("5.13.99", False), ("weird", False)]
)
def test_kernel(release: str, ok: bool) -> None:
    check = probe._kernel(release)
    assert check.ok is ok
    assert bool(check.mend) is not ok


@pytest.mark.parametrize(("machine", "ok"), [("x86_64", True), ("aarch64", True), ("riscv64", False)])
def test_machine(machine: str, ok: bool) -> None:
    assert probe._machine(machine).ok is ok


def test_uid_range_with_users_in_it_is_refused() -> None:
    check = probe._uid_range(0, 65_536)
    assert not check.ok
    assert "root" in check.detail


def test_every_check_that_fails_says_how_to_mend_it() -> None:
    checks = probe.probe()
    assert len({check.name for check in checks}) == len(checks) > 10
    assert [check for check in checks if not check.ok and not check.mend] == []
