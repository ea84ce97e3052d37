"""What is expected of a series."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.cloudwatch.anomalies.band import Model, learn

HOUR, DAY = 3600, 86_400
MONDAY = 1_700_438_400
"""2023-11-20, midnight in UTC."""


def learned(past: dict[int, float], **settings: object) -> Model:
    model = learn(past, settings.pop("zone", UTC), **settings)  # type: ignore[arg-type]
    assert model is not None
    return model


def limits(model: Model, at: int, width: float = 2.0) -> tuple[float, float]:
    upper, lower = model.band([at], width)
    return lower[at], upper[at]


def test_of_little_nothing_is_learned() -> None:
    assert learn({MONDAY + 60 * number: 1.0 for number in range(29)}, UTC) is None


def test_each_hour_of_the_day_is_expected_as_it_was() -> None:
    past = {
        MONDAY + HOUR * number: 10.0 + 90.0 * (number % 24 == 9) + number % 7 / 3 for number in range(24 * 5)
    }
    model = learned(past)
    saturday = MONDAY + 5 * DAY
    low, high = limits(model, saturday + 9 * HOUR)
    assert low < 100.5 < high
    assert low > 50
    low, high = limits(model, saturday + 3 * HOUR)
    assert low < 11 < high < 50


def test_after_two_weeks_weekends_have_hours_of_their_own() -> None:
    past = {MONDAY + HOUR * n: (5.0 if n // 24 % 7 >= 5 else 100.0) + n % 2 for n in range(24 * 14)}
    model = learned(past)
    two_weeks_later = MONDAY + 14 * DAY
    assert limits(model, two_weeks_later + 12 * HOUR)[0] > 50
    assert limits(model, two_weeks_later + 5 * DAY + 12 * HOUR)[1] < 50


def test_a_few_outliers_widen_nothing_unless_they_are_periodic() -> None:
    past = {MONDAY + 60 * number: 10.0 + number % 2 for number in range(600)}
    past |= {MONDAY + 60 * number: 500.0 for number in range(0, 600, 60)}
    assert limits(learned(past), MONDAY + DAY)[1] < 20
    assert limits(learned(past, periodic_spikes=True), MONDAY + DAY)[1] > 100


def test_hours_are_those_of_the_time_zone() -> None:
    start = 1_711_756_800  # 2024-03-30: in the night to the next day, summer begins in Berlin
    past = {}
    for number in range(24 * 4):
        at = start - 4 * DAY + HOUR * number
        past[at] = 100.0 if number % 24 == 8 else 0.0  # 9 o'clock in Berlin's winter
    model = learned(past, zone=ZoneInfo("Europe/Berlin"))
    assert limits(model, start + 2 * DAY + 7 * HOUR)[1] >= 100
    assert limits(model, start + 2 * DAY + 8 * HOUR)[1] < 100


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=60),
    st.floats(0, 10),
    st.integers(0, 10 * DAY),
)
def test_a_band_lies_around_its_center_and_grows_with_its_width(
    values: list[float], width: float, later: int
) -> None:
    model = learned({MONDAY + HOUR * number: value for number, value in enumerate(values)})
    (low, high), (lower, higher) = (
        limits(model, MONDAY + later, width),
        limits(model, MONDAY + later, width + 1),
    )
    assert lower <= low <= high <= higher
    assert min(values) - 1e-6 <= (low + high) / 2 <= max(values) + 1e-6


def test_what_never_changes_has_a_band_without_width() -> None:
    model = learned({MONDAY + 60 * number: 7.0 for number in range(100)})
    assert limits(model, MONDAY + DAY) == (pytest.approx(7.0), pytest.approx(7.0))
