from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.schedule import InvalidScheduleError, parse_schedule
from lambent.model.schedule.cron import parse_cron

NEW_YORK = ZoneInfo("America/New_York")


def times(expression: str, after: str, zone=UTC, count: int = 3) -> list[str]:
    """In the zone's time, to the minute."""
    schedule = parse_schedule(expression, zone)
    moment = since = datetime.fromisoformat(after).replace(tzinfo=zone).timestamp()
    found = []
    for _ in range(count):
        moment = schedule.next(moment, since=since)
        if moment is None:
            break
        found.append(f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %a %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(15 10 * * ? *)", ["2026-03-02 Mon 10:15", "2026-03-03 Tue 10:15", "2026-03-04 Wed 10:15"]),
        (
            "cron(0 18 ? * MON-FRI *)",
            ["2026-03-02 Mon 18:00", "2026-03-03 Tue 18:00", "2026-03-04 Wed 18:00"],
        ),
        ("cron(0 8 1 * ? *)", ["2026-04-01 Wed 08:00", "2026-05-01 Fri 08:00", "2026-06-01 Mon 08:00"]),
        ("cron(0/25 * * * ? *)", ["2026-03-01 Sun 12:25", "2026-03-01 Sun 12:50", "2026-03-01 Sun 13:00"]),
        ("cron(5 8-10/2 ? * 2 *)", ["2026-03-02 Mon 08:05", "2026-03-02 Mon 10:05", "2026-03-09 Mon 08:05"]),
        ("cron(0 0 L * ? *)", ["2026-03-31 Tue 00:00", "2026-04-30 Thu 00:00", "2026-05-31 Sun 00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-03-02 Mon 00:00", "2026-04-01 Wed 00:00", "2026-05-01 Fri 00:00"]),
        (
            "cron(0 0 15W AUG,NOV ? *)",
            ["2026-08-14 Fri 00:00", "2026-11-16 Mon 00:00", "2027-08-16 Mon 00:00"],
        ),
        ("cron(0 0 LW * ? *)", ["2026-03-31 Tue 00:00", "2026-04-30 Thu 00:00", "2026-05-29 Fri 00:00"]),
        ("cron(0 0 ? * 6L *)", ["2026-03-27 Fri 00:00", "2026-04-24 Fri 00:00", "2026-05-29 Fri 00:00"]),
        ("cron(0 0 ? * L *)", ["2026-03-07 Sat 00:00", "2026-03-14 Sat 00:00", "2026-03-21 Sat 00:00"]),
        ("cron(0 0 ? * 3#2 *)", ["2026-03-10 Tue 00:00", "2026-04-14 Tue 00:00", "2026-05-12 Tue 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 Tue 00:00", "2032-02-29 Sun 00:00", "2036-02-29 Fri 00:00"]),
        ("cron(59 23 31 12 ? 2026-2027)", ["2026-12-31 Thu 23:59", "2027-12-31 Fri 23:59"]),
        ("cron(0 0 30 2 ? *)", []),
        ("rate(5 minutes)", ["2026-03-01 Sun 12:05", "2026-03-01 Sun 12:10", "2026-03-01 Sun 12:15"]),
        ("rate(1 day)", ["2026-03-02 Mon 12:00", "2026-03-03 Tue 12:00", "2026-03-04 Wed 12:00"]),
        ("at(2026-03-05T06:07:08)", ["2026-03-05 Thu 06:07"]),
        ("at(2026-02-05T06:07:08)", []),
    ],
)
def test_the_times_of_expressions(expression, expected):
    assert times(expression, "2026-03-01T12:00") == expected


def test_a_time_that_clocks_skip_does_not_happen():
    found = times("cron(30 2 * * ? *)", "2026-03-07T00:00", NEW_YORK)
    assert found == ["2026-03-07 Sat 02:30", "2026-03-09 Mon 02:30", "2026-03-10 Tue 02:30"]
    assert times("at(2026-03-08T02:30:00)", "2026-03-07T00:00", NEW_YORK) == []


def test_a_time_that_clocks_pass_twice_happens_once():
    schedule = parse_schedule("cron(30 1 * * ? *)", NEW_YORK)
    first = schedule.next(datetime(2026, 11, 1, tzinfo=NEW_YORK).timestamp(), since=0)
    assert datetime.fromtimestamp(first, UTC) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    second = schedule.next(first, since=0)
    assert datetime.fromtimestamp(second, UTC) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


def test_a_rate_counts_elapsed_time_whatever_clocks_do():
    found = times("rate(24 hours)", "2026-03-07T12:00", NEW_YORK, count=2)
    assert found == ["2026-03-08 Sun 13:00", "2026-03-09 Mon 13:00"]


def test_a_rate_begins_where_it_counts_from():
    schedule = parse_schedule("rate(1 hour)", UTC)
    assert schedule.next(50.0, since=100.0) == 100.0
    assert schedule.next(100.0, since=100.0) == 3700.0
    assert schedule.next(3699.0, since=100.0) == 3700.0


@pytest.mark.parametrize(
    "expression",
    """rate(10 seconds)|rate(1 minutes)|rate(10 minute)|rate()|rate(10)|rate(foo minutes)|rate(0 minutes)
rate(-1 minutes)|rate(10 MINUTES)|rate( 10 minutes )| rate(10 minutes)|cron()|cron(INVALID)|cron(0 1 * * * *)
cron(0 1 ? * ? *)
cron(71 8 1 * ? *)|cron(0 24 1 * ? *)|cron(0 8 0 * ? *)|cron(0 8 1 13 ? *)|cron(0 8 ? * 8 *)|cron(7 20 * * NOT *)
cron(0 dummy ? * MON-FRI *)
cron(0 1 1 * ?)|cron(0 1 1 * ? * *)|cron(5-1 1 1 * ? *)|cron(*/0 1 1 * ? *)
cron(0 1 32W * ? *)|cron(0 1 ? * 3#6 *)|cron(0  1 1 * ? *)|cron(0 1 1 * ? 1969)|at(2026-02-30T00:00:00)|at(2026-02-03)
at(2026-02-03T00:00:00Z)
every day""".replace("\n", "|").split("|"),
)
def test_what_is_not_an_expression(expression):
    with pytest.raises(InvalidScheduleError):
        parse_schedule(expression, UTC)


def test_scheduler_does_not_count_words():
    assert parse_schedule("rate(2 minute)", UTC, any_number=True) == parse_schedule("rate(2 minutes)", UTC)


numbers = st.one_of(
    st.just("*"),
    st.integers(0, 23).map(str),
    st.tuples(st.integers(0, 11), st.integers(12, 23)).map(lambda ends: f"{ends[0]}-{ends[1]}"),
    st.tuples(st.integers(0, 23), st.integers(1, 20)).map(lambda step: f"{step[0]}/{step[1]}"),
    st.lists(st.integers(0, 23), min_size=1, max_size=3).map(lambda all: ",".join(map(str, all))),
)
days = st.one_of(
    st.sampled_from(["* * ?", "L * ?", "1W * ?", "31 * ?", "? * MON-FRI", "? * 2#1", "? * 7L", "15 1/3 ?"]),
    st.integers(1, 28).map(lambda day: f"{day} * ?"),
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1))
zones = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"])


@given(numbers, numbers, days, moments, zones)
def test_the_next_time_is_the_first_that_the_fields_allow(minutes, hours, day, after, zone_name):
    """Beside a cron that walks through time minute by minute, for two days; later times are only checked."""
    zone = ZoneInfo(zone_name)
    cron = parse_cron(f"{minutes} {hours} {day} *")
    start = after.replace(tzinfo=UTC).timestamp()
    found = cron.next(start, zone)
    assert found is not None and found > start and found % 60 == 0
    local = datetime.fromtimestamp(found, zone)
    assert local.minute in cron.minutes and local.hour in cron.hours and local.month in cron.months
    assert cron.day(local.date())
    moment = start - start % 60 + 60
    while moment < min(found, start + 172_800):
        shown = datetime.fromtimestamp(moment, zone)
        fits = shown.minute in cron.minutes and shown.hour in cron.hours
        fits = fits and shown.month in cron.months and cron.day(shown.date())
        assert not fits or shown.fold == 1, "a second passing of the same local time does not count"
        moment += 60


@given(numbers, numbers, days, moments, zones)
def test_times_follow_each_other(minutes, hours, day, after, zone_name):
    cron, zone = parse_cron(f"{minutes} {hours} {day} *"), ZoneInfo(zone_name)
    start = after.replace(tzinfo=UTC).timestamp()
    first = cron.next(start, zone)
    assert cron.next(first - 1, zone) == first, "from anywhere before it the next time is the same"
    assert cron.next(first, zone) > first


@given(st.integers(1, 1000), st.sampled_from(["minutes", "hours", "days"]), moments, st.integers(0, 10**6))
def test_rates_keep_their_grid(number, unit, since, later):
    text = f"rate({number} {unit})" if number > 1 else f"rate(1 {unit[:-1]})"
    schedule, begin = parse_schedule(text, UTC), since.replace(tzinfo=UTC).timestamp()
    interval = timedelta(**{unit: number}).total_seconds()
    found = schedule.next(begin + later, since=begin)
    assert begin + later < found <= begin + later + interval + 1e-3
    assert abs((found - begin) % interval) < 1e-3 or abs((found - begin) % interval - interval) < 1e-3
