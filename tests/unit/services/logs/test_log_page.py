"""How much is read at a time."""

from hypothesis import given
from hypothesis import strategies as st

from lambent.services.logs.page import chunk_size


@given(st.integers(1, 10_000), st.integers(0, 2**30))
def test_a_chunk_of_events_like_those_before_takes_bounded_memory(events: int, size: int) -> None:
    most = chunk_size(events, size)
    assert 10 <= most <= 1000
    assert most == 10 or most * size / events <= 2 * 1_048_576


def test_the_first_chunk_is_small() -> None:
    assert chunk_size(0, 0) == 50
