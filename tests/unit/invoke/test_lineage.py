import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.invoke.lineage import begun, counted, mark_of
from lambent.model.function import FunctionId

A, B = mark_of(FunctionId("1", "r", "a")), mark_of(FunctionId("1", "r", "b"))
ROOT = "Root=1-0-0;Parent=0;Sampled=0"


def test_a_chain_begins_with_one():
    assert begun(ROOT, A) == f"{ROOT};Lineage={A}:1"
    assert counted(ROOT, A) == (f"{ROOT};Lineage={A}:1", 1)


def test_each_function_of_a_chain_is_counted_by_itself():
    header, seen = ROOT, []
    for mark in (A, B, A, B, A):
        header, count = counted(header, mark)
        seen.append(count)
    assert seen == [1, 1, 2, 2, 3]
    assert header == f"{ROOT};Lineage={A}:3|{B}:2"


def test_what_else_the_header_says_stays():
    assert counted(f"Root=1;Lineage={B}:4;Self=2", A)[0] == f"Root=1;Lineage={A}:1|{B}:4;Self=2"


@pytest.mark.parametrize(
    "lineage", ["", "x", f"{A}:", f"{A}:x", f"{A}:-3", f"{A}:٣", f"{A}:{'9' * 40}", ":|:"]
)
def test_nonsense_counts_for_nothing(lineage):
    assert counted(f"Root=1;Lineage={lineage}", A)[1] == 1


@given(st.lists(st.text("0123456789abcdef", min_size=8, max_size=8), max_size=200))
def test_the_header_stays_short(marks):
    header = ROOT
    for mark in marks:
        header, _ = counted(header, mark)
    assert len(header) < 1000
