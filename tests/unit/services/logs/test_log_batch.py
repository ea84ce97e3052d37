"""The rules of a PutLogEvents batch."""

import pytest

from lambent.services.logs.batch import BATCH_BYTES_MOST, judge
from lambent.services.logs.exceptions import InvalidParameterException

NOW = 1_750_000_000_000
HOUR = 3600 * 1000
DAY = 24 * HOUR


def events(*timestamps: int, message: str = "m") -> list[dict[str, object]]:
    return [{"timestamp": timestamp, "message": message} for timestamp in timestamps]


@pytest.mark.parametrize(
    ("timestamps", "oldest_kept", "taken", "rejected"),
    [
        ((NOW,), 0, (0, 1), {}),
        ((NOW, NOW, NOW + 2 * HOUR), 0, (0, 3), {}),
        ((NOW - 14 * DAY - 1,), 0, (1, 1), {"tooOldLogEventEndIndex": 1}),
        ((NOW - 14 * DAY,), 0, (0, 1), {}),
        ((NOW, NOW + 2 * HOUR + 1), 0, (0, 1), {"tooNewLogEventStartIndex": 1}),
        ((NOW - 2 * DAY, NOW), NOW - DAY, (1, 2), {"expiredLogEventEndIndex": 1}),
        (
            (NOW - 20 * DAY, NOW - 3 * DAY, NOW),
            NOW - DAY,
            (2, 3),
            {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2},
        ),
        # What is rejected does not count for the span of 24 hours.
        (
            (NOW - 15 * DAY, NOW, NOW + DAY),
            0,
            (1, 2),
            {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2},
        ),
        ((NOW - DAY, NOW), 0, (0, 2), {}),
    ],
)
def test_events_are_taken_by_their_time(
    timestamps: tuple[int, ...], oldest_kept: int, taken: tuple[int, int], rejected: dict[str, int]
) -> None:
    verdict = judge(events(*timestamps), now_ms=NOW, oldest_kept_ms=oldest_kept)
    assert (verdict.start, verdict.end) == taken
    assert verdict.rejected == rejected


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (events(NOW, NOW - 1), "Log events in a single PutLogEvents request must be in chronological order."),
        (events(NOW - DAY - 1, NOW), "cannot span more than 24 hours"),
        (events(*[NOW] * 10_001), "less than or equal to 10000"),
        (
            events(NOW, message="x" * (BATCH_BYTES_MOST - 25)),
            "Upload too large: 1048577 bytes exceeds limit of 1048576",
        ),
        (events(NOW, message="é" * (BATCH_BYTES_MOST // 2)), "Upload too large"),
    ],
)
def test_a_batch_is_refused_as_a_whole(batch: list[dict[str, object]], said: str) -> None:
    with pytest.raises(InvalidParameterException, match=said):
        judge(batch, now_ms=NOW, oldest_kept_ms=0)


def test_a_batch_may_be_exactly_as_big_as_allowed() -> None:
    verdict = judge(events(NOW, message="x" * (BATCH_BYTES_MOST - 26)), now_ms=NOW, oldest_kept_ms=0)
    assert (verdict.start, verdict.end) == (0, 1)
