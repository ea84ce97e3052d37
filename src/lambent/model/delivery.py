"""What a rule, a schedule, a topic, an alarm or a log group has still to deliver to one of its targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DeliveryQueue = Literal["cloudwatch", "events", "logs", "scheduler", "sns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Accepted, and to be delivered or to become a dead letter. Times are epoch seconds.

    `target` is as PutTargets or CreateSchedule was given it at the time: later changes do not touch what is under way.
    `number` is the store's, 0 before it is stored."""

    number: int = 0
    queue: DeliveryQueue
    account_id: str
    region: str
    source_arn: str
    """What it is for: the rule, the schedule, the log group…"""
    target: Mapping[str, Any]
    payload: bytes
    """What the target is given."""
    event: bytes | None = None
    """What a dead letter holds, where that is not the payload."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Facts about this one that a dead letter tells: the execution's id, the time it was scheduled for."""
    accepted_at: float
    due_at: float
    attempts: int = 0
    """Made so far, all in vain."""
    line: str | None = None
    """Deliveries of one line are made one after the other: none before those that stood in it are over."""
