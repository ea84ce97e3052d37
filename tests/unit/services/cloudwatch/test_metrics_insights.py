import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.tally import MetricKey, Tally
from lambent.services.cloudwatch.expression import ExpressionError
from lambent.services.cloudwatch.metrics_insights import is_query, parse_query, run_query
from lambent.services.cloudwatch.series import Window
from lambent.store.ports.metrics import Minute

WINDOW = Window(start=0, end=120, period=60)


class StoreOfMetrics:
    """As much of MetricStore as is read from."""

    def __init__(self, **values: tuple[float, ...]) -> None:
        """By zone and host, joined by an underscore: the value of each minute."""
        self.metrics = {
            MetricKey(
                account_id="1",
                region="r",
                namespace="Shop/EU",
                name="Load",
                dimensions=tuple(zip(("Host", "Zone"), reversed(key.split("_")), strict=False)),
            ): found
            for key, found in values.items()
        }

    async def page(self, account_id, region, *, namespace, name, after, limit):
        numbered = [
            (number, metric)
            for number, metric in enumerate(self.metrics, 1)
            if (metric.namespace, metric.name) == (namespace, name) and number > after
        ]
        return numbered[:limit]

    async def read(self, metric, *, start, end):
        for_minutes = []
        for number, value in enumerate(self.metrics[metric]):
            tally = Tally()
            tally.add(value)
            for_minutes.append((Minute(metric, "None", 60 * number), tally))
        return for_minutes


STORE = StoreOfMetrics(a_x=(1, 3), a_y=(5, 7), b_z=(10, 0))


def run(text):
    return asyncio.run(run_query(parse_query(text), "1", "r", WINDOW, STORE))


@pytest.mark.parametrize(
    ("function", "series"),
    [
        ("SUM", {0: 16.0, 60: 10.0}),
        ("AVG", {0: 16 / 3, 60: 10 / 3}),
        ("MIN", {0: 1.0, 60: 0.0}),
        ("MAX", {0: 10.0, 60: 7.0}),
        ("COUNT", {0: 3.0, 60: 3.0}),
    ],
)
def test_all_metrics_of_a_name_become_one_series(function, series):
    assert run(f'SELECT {function}(Load) FROM "Shop/EU"') == {(): series}


def test_conditions_and_schemas_choose_among_them():
    assert run("""SELECT SUM(Load) FROM "Shop/EU" WHERE Zone = 'a' AND Host != 'y'""") == {
        (): {0: 1.0, 60: 3.0}
    }
    assert run("""SELECT SUM(Load) FROM SCHEMA("Shop/EU", Zone, Host) WHERE Host = 'z'""") == {
        (): {0: 10.0, 60: 0.0}
    }
    assert run("""SELECT SUM(Load) FROM SCHEMA("Shop/EU", Zone)""") == {(): {}}
    assert run("""SELECT SUM(Load) FROM "Shop/EU" WHERE Nothing != 'x'""") == {(): {}}


def test_groups_are_ordered_and_cut():
    by_zone = """SELECT SUM(Load) FROM "Shop/EU" GROUP BY Zone"""
    assert run(by_zone) == {("a",): {0: 6.0, 60: 10.0}, ("b",): {0: 10.0, 60: 0.0}}
    by_both = """select max(Load) from "Shop/EU" group by Zone, Host order by avg()"""
    assert list(run(by_both)) == [("a", "x"), ("b", "z"), ("a", "y")]
    assert list(run(by_both + " desc limit 1")) == [("a", "y")]


def test_names_may_be_in_quotes_and_values_hold_them():
    query = parse_query(
        r"""SELECT AVG("select") FROM SCHEMA("a \"b\"", "the host") WHERE "the host" = 'it''s' AND "x" != 'a\'b'"""
    )
    assert (query.metric, query.namespace, query.schema) == ("select", 'a "b"', frozenset({"the host"}))
    assert query.where == [("the host", True, "it's"), ("x", False, "a'b")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT MEDIAN(x) FROM y",
        "SELECT AVG(x)",
        "SELECT AVG(x) FROM y WHERE a = b",
        "SELECT AVG(x) FROM y WHERE a > 'b'",
        "SELECT AVG(x) FROM y GROUP z",
        "SELECT AVG(x) FROM y ORDER BY x",
        "SELECT AVG(x) FROM y LIMIT 501",
        "SELECT AVG(x) FROM y LIMIT 1 2",
        "SELECT AVG(x) FROM y;",
    ],
)
def test_what_cannot_be_read_is_refused(text):
    assert is_query(text)
    with pytest.raises(ExpressionError):
        parse_query(text)


@given(st.text(alphabet="SELCTAVGFROM()\"'=!,xy \\", max_size=60))
def test_any_text_is_a_query_or_refused(text):
    try:
        parse_query("SELECT " + text)
    except ExpressionError:
        return
