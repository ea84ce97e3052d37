import pytest

from lambent.sandbox.port import SandboxError
from lambent.sandbox.uids import OneUid, UidRange


def test_first_is_the_supervisors_and_is_never_handed_out() -> None:
    uids = UidRange(5000, 4)
    assert uids.supervisor == 5000
    assert [uids.take() for _ in range(3)] == [5001, 5002, 5003]


def test_start_is_anywhere_in_the_range() -> None:
    uids = UidRange(5000, 4, start=1_000_001)
    assert [uids.take() for _ in range(3)] == [5003, 5001, 5002]


def test_all_taken_raises() -> None:
    uids = UidRange(5000, 3)
    uids.take()
    uids.take()
    with pytest.raises(SandboxError, match="all 2 sandbox users"):
        uids.take()


def test_released_one_comes_back_last() -> None:
    uids = UidRange(5000, 5)
    first = uids.take()
    uids.take()
    uids.release(first)
    assert [uids.take() for _ in range(3)] == [5003, 5004, first]


def test_releasing_what_is_not_taken_is_a_bug() -> None:
    with pytest.raises(KeyError):
        UidRange(5000, 5).release(5001)


@pytest.mark.parametrize(("first", "count"), [(0, 10), (999, 10), (5000, 1)])
def test_range_that_is_none_is_refused(first: int, count: int) -> None:
    with pytest.raises(ValueError, match="unprivileged"):
        UidRange(first, count)


def test_the_one_uid_is_everybodys() -> None:
    uids = OneUid(1000)
    assert (uids.take(), uids.take(), uids.supervisor) == (1000, 1000, 1000)
    uids.release(1000)
