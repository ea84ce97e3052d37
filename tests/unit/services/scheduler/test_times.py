from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lambent.model.error import ValidationException
from lambent.model.schedule_record import ScheduleRecord
from lambent.services.scheduler.times import first_time, next_time, parse


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = moment("2026-03-01T12:00:30")


def schedule(expression: str, **members) -> ScheduleRecord:
    return ScheduleRecord(
        account_id="123456789012",
        region="eu-west-1",
        group="default",
        name="s",
        expression=expression,
        target={"Arn": "a"},
        window={"Mode": "OFF"},
        created_at=NOW,
        modified_at=NOW,
        **({"since": NOW} | members),
    )


def test_a_rate_runs_at_once_and_then_by_its_grid():
    record = schedule("rate(5 minutes)")
    assert first_time(record, NOW) == NOW
    assert next_time(record, NOW) == NOW + 300
    assert next_time(record, NOW + 299) == NOW + 300


def test_a_rate_that_was_changed_elsewhere_counts_on():
    record = schedule("rate(5 minutes)", since=NOW - 60)
    assert first_time(record, NOW) == NOW + 240


def test_a_rate_that_began_to_count_while_the_clock_was_ahead_does_not_wait_for_that_time():
    record = schedule("rate(5 minutes)", since=NOW + 86_400)
    assert next_time(record, NOW) == NOW + 300


def test_a_rate_with_a_start_begins_there():
    record = schedule("rate(5 minutes)", start=NOW + 1000)
    assert first_time(record, NOW) == NOW + 1000
    assert next_time(record, NOW + 1000) == NOW + 1300


def test_a_cron_runs_between_start_and_end():
    record = schedule(
        "cron(0 9 * * ? *)", start=moment("2026-03-05T09:00:00"), end=moment("2026-03-06T09:00:00")
    )
    assert first_time(record, NOW) == moment("2026-03-05T09:00:00")
    assert next_time(record, moment("2026-03-05T09:00:00")) == moment("2026-03-06T09:00:00")
    assert next_time(record, moment("2026-03-06T09:00:00")) is None


def test_a_cron_is_of_its_time_zone():
    record = schedule("cron(0 9 * * ? *)", time_zone="Asia/Tokyo")
    assert first_time(record, NOW) == moment("2026-03-02T00:00:00")


def test_a_one_time_schedule_regards_neither_start_nor_end():
    record = schedule("at(2026-03-02T10:00:00)", start=NOW + 1e9, end=NOW + 1)
    assert first_time(record, NOW) == moment("2026-03-02T10:00:00")
    assert next_time(record, moment("2026-03-02T10:00:00")) is None


def test_a_time_that_has_passed_runs_where_it_is_new() -> None:
    passed, tomorrow = schedule("at(2026-02-02T10:00:00)"), schedule("at(2026-03-03T10:00:00)")
    at = moment("2026-02-02T10:00:00")
    assert first_time(passed, NOW) == at
    assert first_time(passed, NOW, tomorrow) == at
    assert first_time(passed, NOW, replace(passed, description="another")) is None
    assert first_time(replace(passed, state="DISABLED"), NOW) is None


def test_what_is_disabled_does_not_run():
    assert first_time(schedule("rate(1 minute)", state="DISABLED"), NOW) is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd"])
def test_a_time_zone_must_be_one(zone):
    with pytest.raises(ValidationException, match="Invalid Schedule Expression Timezone"):
        parse("rate(1 minute)", zone)
