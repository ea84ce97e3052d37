import math

from lambent.targets.timer import latest


def every(interval: float):
    return lambda after: (math.floor(after / interval) + 1) * interval


def test_what_was_not_missed_is_the_latest():
    assert latest(60.0, 60.5, every(60)) == 60.0
    assert latest(60.0, 119.9, every(60)) == 60.0


def test_of_several_that_were_missed_it_is_the_last():
    assert latest(60.0, 600.0, every(60)) == 600.0


def test_of_years_only_the_last_day_is_looked_at():
    asked = []

    def following(after: float) -> float:
        asked.append(after)
        return every(60)(after)

    assert latest(60.0, 1e9, following) == 1e9 - 1e9 % 60
    assert len(asked) < 1500


def test_what_comes_once_in_a_long_time_is_not_passed_over():
    assert latest(1000.0, 1e6, every(10**9)) == 1000.0
    assert latest(1000.0, 1e6, lambda after: None) == 1000.0
