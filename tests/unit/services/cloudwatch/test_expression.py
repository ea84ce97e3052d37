import pytest

from lambent.services.cloudwatch.expression import Environment, ExpressionError, Search, compile_expression

M1 = {0: 10.0, 60: 20.0, 180: 40.0}
M2 = {0: 2.0, 60: 0.0, 120: 5.0}
AROUND = Environment({"m1": M1, "m2": M2}, ["m1", "m2"], 60, range(0, 240, 60))


def value(text):
    return compile_expression(text).node(AROUND)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1", M1),
        ("m1 + m2", {0: 12.0, 60: 20.0}),
        ("m1 / m2", {0: 5.0}),  # where there is something to divide by
        ("100 * m1 - 1", {0: 999.0, 60: 1999.0, 180: 3999.0}),
        ("2 + 3 * 2 ^ 2", 14.0),
        ("(2 + 3) * -2", -10.0),
        ("m1 > 15", {0: 0.0, 60: 1.0, 180: 1.0}),
        ("m1 > 15 && m2 == 0", {0: 0.0, 60: 1.0}),
        ("SUM(METRICS())", {0: 12.0, 60: 20.0, 120: 5.0, 180: 40.0}),
        ('SUM(METRICS("m1"))', M1),
        ("AVG([m1, m2])", {0: 6.0, 60: 10.0, 120: 5.0, 180: 40.0}),
        ("MAX(m1)", 40.0),
        ("m1 / SUM(m1)", {0: 1 / 7, 60: 2 / 7, 180: 4 / 7}),
        ("FILL(m1, 0)", {0: 10.0, 60: 20.0, 120: 0.0, 180: 40.0}),
        ("FILL(m1, REPEAT)", {0: 10.0, 60: 20.0, 120: 20.0, 180: 40.0}),
        ("FILL(m1, m2)", {0: 10.0, 60: 20.0, 120: 5.0, 180: 40.0}),
        ("DIFF(m1)", {60: 10.0, 180: 20.0}),
        ("RATE(m1)", {60: 1 / 6, 180: 1 / 6}),
        ("RUNNING_SUM(m1)", {0: 10.0, 60: 30.0, 180: 70.0}),
        ("IF(m1 > 15, m1, 0)", {0: 0.0, 60: 20.0, 180: 40.0}),
        ("IF(m1 > 15, m1)", {60: 20.0, 180: 40.0}),
        ("m1 / PERIOD(m1)", {0: 1 / 6, 60: 1 / 3, 180: 2 / 3}),
        ("ABS(-m2)", M2),
        ("FILL(m1, LINEAR)", {0: 10.0, 60: 20.0, 120: 30.0, 180: 40.0}),
        ("SUM(FILL(METRICS(), REPEAT))", {0: 12.0, 60: 20.0, 120: 25.0, 180: 45.0}),
        ("FIRST(METRICS())", M1),
        ("LAST(METRICS())", M2),
        ("SORT(METRICS(), SUM, ASC)", [M2, M1]),
        ("SORT([m2, m1], MAX, DESC, 1)", [M1]),
        ("SLICE(METRICS(), 1)", [M2]),
        ("SLICE(METRICS(), 0, 2)", [M1, M2]),
        ("REMOVE_EMPTY([m1, IF(m1 > 99, m1), m2])", [M1, M2]),
        ("m2 + METRIC_COUNT(METRICS())", {0: 4.0, 60: 2.0, 120: 7.0}),
        ("m2 + DATAPOINT_COUNT(METRICS())", {0: 8.0, 60: 6.0, 120: 11.0}),
        ("MINUTE(m1)", {0: 0.0, 60: 1.0, 180: 3.0}),
        ("YEAR(m1) * 100 + MONTH(m1)", dict.fromkeys(M1, 197001.0)),
        ("DAY(m1) * 1000 + DATE(m1) * 100 + HOUR(m1)", dict.fromkeys(M1, 4100.0)),  # a Thursday
        ("EPOCH(m1)", {0: 0.0, 60: 60.0, 180: 180.0}),
        ("DIFF_TIME(m1)", {60: 60.0, 180: 120.0}),
        ("TIME_SERIES(3)", {0: 3.0, 60: 3.0, 120: 3.0, 180: 3.0}),
    ],
)
def test_values(text, expected):
    found = value(text)
    exact = not expected or isinstance(expected, list)
    assert found == (expected if exact else pytest.approx(expected))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m1 +",
        "m1 m2",
        "(m1",
        "SEARCH('x')",
        "m1 ? 2",
        "FILL(m1)",
        "'text'",
        "SUM()",
        "SORT(m1)",
        "SORT(m1, SUM, UP)",
        "SORT(m1, X, ASC)",
    ],
)
def test_what_is_no_expression(text):
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_the_names_that_are_used():
    assert compile_expression("m1 + SUM([m2, e3])").names == {"m1", "m2", "e3"}


def test_searches_are_told_and_answered():
    text = """SEARCH('{AWS/Lambda,FunctionName} MetricName="Errors"', 'Sum', 300)"""
    search = Search('{AWS/Lambda,FunctionName} MetricName="Errors"', "Sum", 300)
    alone, within = compile_expression(text), compile_expression(f"SUM({text}) + m1")
    assert alone.searches == within.searches == (search,)
    around = Environment({"m1": M1}, ["m1"], 60, range(0, 240, 60), {search: [M1, M2]})
    assert alone.node(around) == [M1, M2]
    assert within.node(around) == {0: 22.0, 60: 40.0, 180: 80.0}
    assert compile_expression("SEARCH('x', 'Sum')").searches[0].period is None
