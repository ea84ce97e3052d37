import errno

import pytest

from lambent.sandbox.steps import StepError, step


def test_failed_step_names_itself_and_the_kernels_answer() -> None:
    with (
        pytest.raises(StepError, match=r"^mount /proc: Operation not permitted$") as raised,
        step("mount /proc"),
    ):
        raise OSError(errno.EPERM, "ignored")
    assert (raised.value.step, raised.value.errno) == ("mount /proc", errno.EPERM)


def test_inner_step_keeps_its_name() -> None:
    with pytest.raises(StepError, match=r"^inner: "), step("outer"), step("inner"):
        raise OSError(errno.ENOENT, "")
