"""The rules that a batch of PutLogEvents must keep.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lambent.model.caller import Parameters
from lambent.services.logs.exceptions import InvalidParameterException
from lambent.services.logs.retention import DAY_MS

EVENT_OVERHEAD_BYTES = 26
BATCH_BYTES_MOST = 1_048_576
EVENTS_MOST = 10_000
_OLDEST_MS = 14 * DAY_MS
_NEWEST_MS = 2 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The events of a batch that are taken: [start, end). `rejected` is RejectedLogEventsInfo, or empty."""

    start: int
    end: int
    rejected: Parameters


def judge(events: Sequence[Parameters], *, now_ms: int, oldest_kept_ms: int) -> Verdict:
    """Raises InvalidParameterException where the batch is refused as a whole."""
    _check_size(events)
    timestamps: list[int] = [event["timestamp"] for event in events]
    if any(earlier > later for earlier, later in pairwise(timestamps)):
        raise InvalidParameterException(
            "Log events in a single PutLogEvents request must be in chronological order."
        )
    expired = _count_before(timestamps, oldest_kept_ms)
    too_old = _count_before(timestamps, now_ms - _OLDEST_MS)
    end = _count_before(timestamps, now_ms + _NEWEST_MS + 1)
    start = max(expired, too_old)
    rejected: Parameters = {}
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if end < len(events):
        rejected["tooNewLogEventStartIndex"] = end
    if start < end and timestamps[end - 1] - timestamps[start] > DAY_MS:
        raise InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    return Verdict(start=start, end=end, rejected=rejected)


def _check_size(events: Sequence[Parameters]) -> None:
    if len(events) > EVENTS_MOST:
        raise InvalidParameterException(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "
            f"Member must have length less than or equal to {EVENTS_MOST}"
        )
    size = sum(len(event["message"].encode()) + EVENT_OVERHEAD_BYTES for event in events)
    if size > BATCH_BYTES_MOST:
        raise InvalidParameterException(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES_MOST}")


def _count_before(timestamps: Sequence[int], time_ms: int) -> int:
    return sum(timestamp < time_ms for timestamp in timestamps)
