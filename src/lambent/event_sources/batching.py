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


@dataclass(frozen=True, slots=True)
class Deliver:
    count: int


@dataclass(frozen=True, slots=True)
class Poll:
    most: int
    wait_seconds: float


def next_step(
    gathered: Sequence[Record], since: float, now: float, rules: BatchRules, *, ahead: int
) -> Deliver | Poll:
    """`gathered` waits since `since`; `ahead` is how many records a poll may ask for beyond this batch, because there
    is room for another one."""
    count = _fitting(gathered, rules)
    window_over = now - since >= rules.window_seconds
    if gathered and (count < len(gathered) or count >= rules.size or window_over):
        return Deliver(count)
    wait = rules.window_seconds - (now - since) if gathered else POLL_SECONDS
    return Poll(rules.size - count + ahead, wait)


def _fitting(gathered: Sequence[Record], rules: BatchRules) -> int:
    """How many of the first records make one batch: at least one, however large."""
    room = rules.payload_most - _ENVELOPE
    for count, record in enumerate(gathered[: rules.size]):
        room -= len(record.text) + 1
        if room < 0 and count:
            return count
    return min(len(gathered), rules.size)
