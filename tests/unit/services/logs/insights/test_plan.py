"""What queries answer."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from lambent.services.logs.insights.aggregates import Distinct, Percentile
from lambent.services.logs.insights.plan import plan
from lambent.services.logs.insights.record import Event, Record
from lambent.services.logs.insights.values import order

START_MS = 1_700_000_000_000  # 2023-11-14 22:13:20
ID = "3604209a-e9a3-11e6-939a-754dd98c7be3"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 12.34 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 18 MB\tInit Duration: 99.50 ms\t\nXRAY TraceId: 1-5e-ab\tSegmentId: 5c\tSampled: true"
)


def events(messages: Sequence[Any]) -> list[Event]:
    """A minute apart; the newest first, as they come to a query."""
    made = [
        Event(
            START_MS + number * 60_000,
            START_MS,
            message if isinstance(message, str) else json.dumps(message),
            "stream",
            "123456789012",
            "/g",
            number + 1,
        )
        for number, message in enumerate(messages)
    ]
    return made[::-1]


def answer(query: str, messages: Sequence[Any], limit: int | None = None) -> tuple[int, list[dict[str, str]]]:
    """How many matched, and rows without their pointers."""
    made = plan(query, limit=limit, now=1.5)
    for event in events(messages):
        if not made.first.take(Record(event)):
            break
    made.first.end()
    return made.matched.count, [{name: value for name, value in row if name != "@ptr"} for row in made.rows]


def value(expression: str, message: Any = "") -> str | None:
    _, rows = answer(f"fields {expression} as x", [message])
    return rows[0].get("x")


def test_without_columns_there_are_time_and_message() -> None:
    made = plan("filter @message like 'a'", limit=None, now=0)
    for event in events(["a1", "b", "a2"]):
        made.first.take(Record(event))
    made.first.end()
    assert [[name for name, _ in row] for row in made.rows] == [["@timestamp", "@message", "@ptr"]] * 2
    assert [row[1][1] for row in made.rows] == ["a2", "a1"]
    assert made.rows[0][0] == ("@timestamp", "2023-11-14 22:15:20.000")
    assert made.matched.count == 2


def test_a_report_of_lambda() -> None:
    columns = "@type, @requestId, @duration, @billedDuration, @memorySize, @maxMemoryUsed, @initDuration"
    _, rows = answer(f"fields {columns}, @xrayTraceId, @xraySegmentId, @log, @logStream", [REPORT])
    assert rows == [
        {
            "@type": "REPORT",
            "@requestId": ID,
            "@duration": "12.34",
            "@billedDuration": "100.0",
            "@memorySize": "1.28E8",
            "@maxMemoryUsed": "1.8E7",
            "@initDuration": "99.5",
            "@xrayTraceId": "1-5e-ab",
            "@xraySegmentId": "5c",
            "@log": "123456789012:/g",
            "@logStream": "stream",
        }
    ]
    query = (
        'filter @type = "REPORT" | stats max(@memorySize / 1000 / 1000) as provisioned, '
        "max(@memorySize - @maxMemoryUsed) / 1000 / 1024 as over"
    )
    assert answer(query, [REPORT, f"START RequestId: {ID} Version: $LATEST\n"]) == (
        1,
        [{"provisioned": "128", "over": "107.4219"}],
    )


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        (f"2026-11-27T16:00:00.123Z\t{ID}\tINFO\thello", ID),
        (f"[WARNING]\t2026-11-27T16:00:00.123Z\t{ID}\twarned", ID),
        (f"END RequestId: {ID}\n", ID),
        (f"said {ID}", None),
    ],
)
def test_the_request_of_a_line(line: str, id_: str | None) -> None:
    assert value("@requestId", line) == id_


def test_fields_of_json() -> None:
    message = {"a": {"b": [1, 2.5, {"c": None}], "d": True}, "level": "ERROR", "x y": "z"}
    _, rows = answer("fields a.b.0, a.b.1, a.b.2.c, a.d, level, `x y`", [message])
    assert rows == [{"a.b.0": "1", "a.b.1": "2.5", "a.d": "1", "level": "ERROR", "x y": "z"}]
    assert value("level", f"2026-11-27T16:00:00.1Z\t{ID}\tINFO\t" + json.dumps(message)) == "ERROR"
    assert value("level", "{not json") is None
    assert value("n", "[" * 5000 + "{" * 5000) is None


@pytest.mark.parametrize(
    ("expression", "message", "result"),
    [
        ("1 + 2 * 3", "", "7"),
        ("7 / 2", "", "3.5"),
        ("10 / 3", "", "3.3333"),
        ("7 % 4 + 2 ^ 3", "", "11"),
        ("1 / 0", "", None),
        ("abs(-3.2)", "", "3.2"),
        ("ceil(1.2) + floor(1.8)", "", "3"),
        ("greatest(1, 3, 2) - least(1, 3, 2)", "", "2"),
        ("sqrt(n) + log(1)", {"n": 16}, "4"),
        ("sqrt(-1)", "", None),
        ("strlen('abc')", "", "3"),
        ("toupper(concat('a', n, 'b'))", {"n": 1}, "A1B"),
        ("tolower('ÄB')", "", "äb"),
        ("substr('xyZfooxyZ', 3)", "", "fooxyZ"),
        ("substr('xyZfooxyZ', 3, 4)", "", "foox"),
        ("replace('foobarfoo', 'foo', 'x')", "", "xbarx"),
        ("trim('xabx', 'x')", "", "ab"),
        ("ltrim('  a ')", "", "a "),
        ("coalesce(a, b, 'c')", {"b": "B"}, "B"),
        ("strcontains('abc', 'bc')", "", "1"),
        ("ispresent(a)", "", "0"),
        ("isempty('') + isblank(' ')", "", "2"),
        ("n = '5'", {"n": 5}, "1"),
        ("n > 4.5 and not n >= 6", {"n": "5"}, "1"),
        ("n < 'x'", {"n": "a"}, "1"),
        ("n != 5", {}, "0"),
        ("ok = 'true'", {"ok": True}, "1"),
        ("n in [4, 5]", {"n": 5}, "1"),
        ("bin(1h)", "", "2023-11-14 22:00:00.000"),
        ("datefloor(@timestamp, 1mo)", "", "2023-11-01 00:00:00.000"),
        ("dateceil(@timestamp, 1q)", "", "2024-01-01 00:00:00.000"),
        ("toMillis(@timestamp)", "", "1700000000000"),
        ("fromMillis(1000)", "", "1970-01-01 00:00:01.000"),
        ("@timestamp - 1000", "", "1699999999000"),
        ("now()", "", "1"),
        ("isIpv4InSubnet('10.1.2.3', '10.0.0.0/8')", "", "1"),
        ("isValidIp('x')", "", "0"),
        ("if(1 = 1, 'y', 'n')", "", "y"),
    ],
)
def test_expressions(expression: str, message: Any, result: str | None) -> None:
    assert value(expression, message) == result


def test_parsing() -> None:
    lines = ["user=bob, method:GET, latency := 12 ms", "something else", "user=al, method:PUT, latency := 5"]
    query = "parse @message 'user=*, method:*, latency := *' as who, method, took | display who, method, took"
    assert answer(query, lines)[1] == [
        {"who": "al", "method": "PUT", "took": "5"},
        {},
        {"who": "bob", "method": "GET", "took": "12 ms"},
    ]
    query = "parse @message /user=(?<who>\\w+), method:(?<method>\\w+)/ | filter ispresent(who) | stats count() by who"
    assert answer(query, lines) == (2, [{"who": "al", "count()": "1"}, {"who": "bob", "count()": "1"}])
    assert answer("parse /latency := (\\d+)/ as took | stats sum(took) as s", lines)[1] == [{"s": "17"}]


def test_statistics() -> None:
    messages = [{"n": n, "kind": "odd" if n % 2 else "even"} for n in range(1, 10)] + ["no number"]
    query = "stats count(*), count(n), sum(n), avg(n), min(n), max(n), stddev(n), pct(n, 90), count_distinct(kind)"
    assert answer(query, messages)[1] == [
        {
            "count(*)": "10",
            "count(n)": "9",
            "sum(n)": "45",
            "avg(n)": "5",
            "min(n)": "1",
            "max(n)": "9",
            "stddev(n)": "2.582",
            "pct(n, 90)": "9",
            "count_distinct(kind)": "2",
        }
    ]
    query = "stats earliest(n) as first, latest(n) as last, earliest(@timestamp) as at, sortsFirst(kind) as k"
    assert answer(query, messages)[1] == [{"first": "1", "last": "9", "at": str(START_MS), "k": "even"}]


def test_groups_of_times_come_in_their_order_and_can_be_worked_with() -> None:
    messages = [{"n": n} for n in range(12)]
    assert answer("stats sum(n) as s by bin(5m) as t | filter s > 10 | sort s desc | limit 1", messages) == (
        12,
        [{"t": "2023-11-14 22:20:00.000", "s": "45"}],
    )
    times = [row["bin(5m)"] for row in answer("stats count(*) by bin(5m)", messages)[1]]
    assert times == sorted(times)
    assert len(times) == 3


def test_sorting_limits_and_duplicates() -> None:
    messages = [{"n": n % 5, "m": n} for n in range(20)]
    assert [row["n"] for row in answer("fields n, m | sort n desc, m asc | limit 5", messages)[1]] == [
        *("4", "4", "4", "4", "3")
    ]
    assert answer("fields m | sort m | limit 2", messages) == (20, [{"m": "0"}, {"m": "1"}])
    assert answer("fields m | limit 2", messages) == (20, [{"m": "19"}, {"m": "18"}])
    assert answer("fields m | limit any 2", messages) == (2, [{"m": "19"}, {"m": "18"}])
    assert answer("fields m | limit 5", messages, limit=1) == (20, [{"m": "19"}])
    assert answer("fields n | sort m asc | dedup n", messages)[1] == [{"n": str(n)} for n in range(5)]
    assert len(answer("dedup missing", messages)[1]) == 20


def test_the_order_of_values() -> None:
    expected = ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh"]
    expected += ["0", "01", "1", "2", "3"]
    shuffled = expected[:]
    random.Random(1).shuffle(shuffled)
    ordered = sorted(shuffled, key=order)
    assert ordered[:13] == expected[:13]
    assert set(ordered[13:15]) == {"01", "1"}
    assert ordered[15:] == ["2", "3"]


def test_many_values_are_estimated() -> None:
    percentile, distinct = Percentile(95), Distinct()
    for number in range(30_000):
        percentile.add(number, 0)
        distinct.add(str(number), 0)
    assert percentile.result() == pytest.approx(28_500, rel=0.01)
    assert distinct.result() == pytest.approx(30_000, rel=0.03)
