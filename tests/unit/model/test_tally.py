import math

from hypothesis import given
from hypothesis import strategies as st

from lambent.model.tally import Tally, merged


def tally(*values):
    made = Tally()
    for value in values:
        made.add(value)
    return made


def test_statistics():
    made = tally(1, 2, 2, 5)
    assert [made.statistic(name) for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")] == [
        4,
        10,
        2.5,
        1,
        5,
    ]
    assert [made.statistic(name) for name in ("p0", "p25", "p50", "p99", "p100")] == [1, 1, 2, 5, 5]


def test_many_at_once_are_as_one_by_one():
    made = Tally()
    made.add_all([1, 2, 2, 5])
    assert made == tally(1, 2, 2, 5)


def test_of_what_came_summed_up_percentiles_are_not_known():
    summed = Tally(count=2, sum=3, minimum=1, maximum=2, values=None)
    assert summed.statistic("p50") is None
    assert summed.statistic("Average") == 1.5
    assert merged([tally(1), summed]).values is None
    assert Tally(count=3, sum=6, minimum=2, maximum=2, values=None).statistic("p90") == 2


def test_many_different_values_are_kept_to_the_per_cent():
    made = tally(*range(1, 5001))
    assert len(made.values) < 1000
    assert math.isclose(made.statistic("p50"), 2500, rel_tol=0.02)
    assert math.isclose(made.statistic("p99"), 4950, rel_tol=0.02)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1), min_size=1))
def test_merging_is_counting_all_together(parts):
    together = merged(tally(*part) for part in parts)
    flat = [value for part in parts for value in part]
    assert together.count == len(flat)
    assert (together.minimum, together.maximum) == (min(flat), max(flat))
    assert math.isclose(together.sum, math.fsum(flat), rel_tol=1e-9, abs_tol=1e-6)
