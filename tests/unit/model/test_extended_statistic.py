import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.extended_statistic import parse_statistic

TEN = {float(value): 1.0 for value in range(1, 11)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p0", 1),
        ("p50", 5),
        ("p99.9", 10),
        ("p100", 10),
        ("tm90", 5),
        ("TM(10%:90%)", 5.5),
        ("TM(:50%)", 3),
        ("TM(50%:)", 8),
        ("TM(3:5)", 4.5),
        ("IQM", 5.5),
        ("tc90", 9),
        ("TC(2:)", 8),
        ("ts90", 45),
        ("TS(:3)", 6),
        ("PR(:3)", 30),
        ("PR(3:8)", 50),
        ("wm50", (1 + 2 + 3 + 4 + 5 * 6) / 10),
        ("WM(20%:80%)", (2 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 8 + 8) / 10),
        ("TM(20:30)", 0),
    ],
)
def test_of_one_to_ten(name, expected):
    assert parse_statistic(name).of(TEN) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Sum",
        "p",
        "p101",
        "px",
        "tm",
        "TM()",
        "TM(:)",
        "TM(10%:90)",
        "TM(90%:10%)",
        "PR(10%:90%)",
        "TM(.:5)",
        "iqm",
    ],
)
def test_what_there_is_not(name):
    assert parse_statistic(name) is None


@given(
    st.dictionaries(st.floats(0, 1e6), st.integers(1, 50).map(float), min_size=1),
    st.floats(0, 100),
    st.sampled_from(["tm", "wm", "p"]),
)
def test_means_and_percentiles_are_among_the_values(values, percent, kind):
    found = parse_statistic(f"{kind}{percent:.2f}".removesuffix(".00"))
    assert found is not None
    if kind != "tm" or percent > 0.01:
        assert min(values) * (1 - 1e-9) - 1e-9 <= found.of(values) <= max(values) * (1 + 1e-9) + 1e-9
