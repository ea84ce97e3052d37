"""When a batch is full, and what goes into it. Pure.

A batch is delivered when it has as many records as it may, when its window is over, or when it would outgrow 6 MB.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lambent.event_sources.source import Record

PAYLOAD_MOST = 6_291_456
_ENVELOPE = 256
"""Bytes that the event may have around its records."""
POLL_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRules:
    """`size` records, gathered for `window_seconds` at most."""

    size: int
    window_seconds: float = 0.0
    payload_most: int = PAYLOAD_MOST


class Gathered:
    """Records that wait for their batch, the first of them since `since`."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.size = 0
        """Bytes, with a comma for each."""
        self.since = 0.0

    def add(self, records: Sequence[Record], now: float) -> None:
        if not self.records:
            self.since = now
        self.records += records
        self.size += _size(records)

    def take(self, count: int) -> list[Record]:
        taken, self.records = self.records[:count], self.records[count:]
        self.size -= _size(taken)
        return taken


@dataclass(frozen=True, slots=True)
class Deliver:
    count: int


@dataclass(frozen=True, slots=True)
class Poll:
    most: int
    wait_seconds: float


def next_step(gathered: Gathered, now: float, rules: BatchRules, *, ahead: int) -> Deliver | Poll:
    """`ahead` is how many records a poll may ask for beyond this batch, because there is room for another one."""
    if not gathered.records:
        return Poll(rules.size + ahead, POLL_SECONDS)
    count = _fitting(gathered, rules)
    left = rules.window_seconds - (now - gathered.since)
    if count < len(gathered.records) or count >= rules.size or left <= 0:
        return Deliver(count)
    return Poll(rules.size - count + ahead, left)


def _fitting(gathered: Gathered, rules: BatchRules) -> int:
    """How many of the first records make one batch: at least one, however large."""
    room, records = rules.payload_most - _ENVELOPE, gathered.records[: rules.size]
    if gathered.size <= room:
        return len(records)
    for count, record in enumerate(records):
        room -= _size((record,))
        if room < 0 and count:
            return count
    return len(records)


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.text) + 1 for record in records)
