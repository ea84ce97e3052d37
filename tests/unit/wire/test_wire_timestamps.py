"""Points in time, both ways."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.wire.timestamps import FORMATS, PARSERS, epoch_seconds, from_epoch

MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "moment", "written"),
    [
        ("iso8601", MOMENT, "2026-11-20T01:02:03Z"),
        ("iso8601", MOMENT.replace(microsecond=4000), "2026-11-20T01:02:03.004Z"),
        ("iso8601", MOMENT.replace(microsecond=4), "2026-11-20T01:02:03.000004Z"),
        ("iso8601", datetime(33, 1, 1, tzinfo=UTC), "0033-01-01T00:00:00Z"),
        ("rfc822", MOMENT, "Fri, 20 Nov 2026 01:02:03 GMT"),
        ("unixtimestamp", MOMENT, "1795136523"),
        ("unixtimestamp", MOMENT.replace(microsecond=500000), "1795136523.5"),
    ],
)
def test_forms(form: str, moment: datetime, written: str) -> None:
    assert FORMATS[form](moment) == written
    assert PARSERS[form](written) == moment


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_nothing_is_lost(moment: datetime) -> None:
    assert PARSERS["iso8601"](FORMATS["iso8601"](moment)) == moment
    assert abs(from_epoch(epoch_seconds(moment)) - moment) <= timedelta(microseconds=100)


def test_offsets_and_none() -> None:
    parse = PARSERS["iso8601"]
    assert parse("2026-11-20T03:02:03+02:00") == MOMENT
    assert parse("2026-11-20T01:02:03") == MOMENT
    assert parse("2026-11-20") == MOMENT.replace(hour=0, minute=0, second=0)
    assert PARSERS["rfc822"]("Fri, 20 Nov 2026 03:02:03 +0200") == MOMENT
    assert FORMATS["iso8601"](MOMENT.astimezone(timezone(timedelta(hours=9)))) == "2026-11-20T01:02:03Z"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso8601", "yesterday"), ("iso8601", "2026-13-01"), ("iso8601", "9999-12-31T23:59:59-23:59"), ("iso8601", ""),
        ("rfc822", "yesterday"), ("rfc822", ""), ("rfc822", "Fri, 99 Nov 2026 03:02:03 GMT"),
        ("unixtimestamp", "now"), ("unixtimestamp", "1e300"), ("unixtimestamp", "nan"),
    ],
)  # fmt: skip
def test_what_is_no_timestamp(form: str, text: str) -> None:
    with pytest.raises(ValueError):
        PARSERS[form](text)


def test_a_naive_timestamp_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        epoch_seconds(datetime(2026, 1, 1))
