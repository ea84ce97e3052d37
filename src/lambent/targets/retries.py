"""What becomes of a delivery that failed: pure rules.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from lambent.model.delivery import Delivery

ATTEMPTS_MOST = 185
AGE_MOST_SECONDS = 86_400
_DELAY_MOST_SECONDS = 512.0

Exhausted = Literal["MaximumRetryAttempts", "MaximumEventAgeInSeconds"]


@dataclass(frozen=True, slots=True)
class Retry:
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class GiveUp:
    """`exhausted` is the condition of the retry policy that ended it; None for a failure that is not tried again."""

    delivery: Delivery
    exhausted: Exhausted | None


class Decide(Protocol):
    """What becomes of a delivery that failed."""

    def __call__(
        self, delivery: Delivery, *, retriable: bool, now: float, base_seconds: float, jitter: float
    ) -> Retry | GiveUp: ...


def after_failure(
    delivery: Delivery, *, retriable: bool, now: float, base_seconds: float, jitter: float
) -> Retry | GiveUp:
    """`jitter` is from 0 to 1. Delays double from `base_seconds` on, up to 512 of these, less up to half of them."""
    if not retriable:
        return GiveUp(delivery, None)
    policy = delivery.target.get("RetryPolicy") or {}
    if delivery.attempts >= policy.get("MaximumRetryAttempts", ATTEMPTS_MOST):
        return GiveUp(delivery, "MaximumRetryAttempts")
    delay = base_seconds * min(2.0**delivery.attempts, _DELAY_MOST_SECONDS) * (1 - jitter / 2)
    if now + delay > delivery.accepted_at + policy.get("MaximumEventAgeInSeconds", AGE_MOST_SECONDS):
        return GiveUp(delivery, "MaximumEventAgeInSeconds")
    return Retry(replace(delivery, attempts=delivery.attempts + 1, due_at=now + delay))
