import pytest

from lambent.services.s3.errors import InvalidRange
from lambent.services.s3.ranges import read_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-8", "bytes 0-8/10"),
        ("bytes=1-1", "bytes 1-1/10"),
        ("bytes=1-", "bytes 1-9/10"),
        ("bytes=-2", "bytes 8-9/10"),
        ("bytes=-15", "bytes 0-9/10"),
        ("bytes=0-100", "bytes 0-9/10"),
        ("bytes=1-0", None),
        ("bytes=-1-", None),
        ("bytes=0--1", None),
        ("bytes=0-1,3-4", None),
        ("0-1", None),
        ("bytes=-", None),
        (None, None),
    ],
)
def test_one_range_is_taken_and_what_is_none_is_everything(header, expected):
    found = read_range(header, 10)
    assert (found and found.content_range(10)) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=-0", 10), ("bytes=100-200", 10), ("bytes=0-", 0)])
def test_a_range_that_is_not_there(header, size):
    with pytest.raises(InvalidRange) as refused:
        read_range(header, size)
    assert refused.value.members == {"RangeRequested": header, "ActualObjectSize": size}
