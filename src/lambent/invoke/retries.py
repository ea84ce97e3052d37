"""What becomes of an asynchronous invocation after a run: pure rules.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.invocation import EventInvocation

RunOutcome = Literal["succeeded", "function_error", "throttled", "gone", "closed", "recursive"]
"""`throttled`: no capacity, or an error of ours; `gone`: the function is not there any more; `closed`: it has a
reserved concurrency of 0; `recursive`: it was in a loop."""

Condition = Literal[
    "Success",
    "RetriesExhausted",
    "EventAgeExceeded",
    "ZeroReservedConcurrency",
    "RecursiveInvocation",
    "FunctionNotFound",
]
_FINAL: dict[RunOutcome, Condition] = {
    "succeeded": "Success",
    "gone": "FunctionNotFound",
    "closed": "ZeroReservedConcurrency",
    "recursive": "RecursiveInvocation",
}
_THROTTLE_FIRST_SECONDS = 1.0
_THROTTLE_MOST_SECONDS = 300.0
_DELIVERIES_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """`base_seconds`: 60 on AWS, so that the two retries come after one and two minutes."""

    base_seconds: float = 60.0
    attempts_most: int = 2
    age_most_seconds: float = 21_600.0

    def of(self, config: EventInvokeConfig | None) -> "RetryRules":
        """These rules, as far as the function has not its own."""
        if config is None:
            return self
        attempts, age = config.maximum_retry_attempts, config.maximum_event_age_seconds
        return dataclasses.replace(
            self,
            attempts_most=self.attempts_most if attempts is None else attempts,
            age_most_seconds=self.age_most_seconds if age is None else age,
        )


@dataclass(frozen=True, slots=True)
class Done:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Retry:
    invocation: EventInvocation


def too_old(event: EventInvocation, now: float, rules: RetryRules) -> bool:
    return now - event.accepted_at > rules.age_most_seconds


def delay_most_seconds(rules: RetryRules) -> float:
    """For so long an event is put back at most."""
    return max(_THROTTLE_MOST_SECONDS, rules.base_seconds * 2)


def after_run(event: EventInvocation, outcome: RunOutcome, now: float, rules: RetryRules) -> Done | Retry:
    final = _FINAL.get(outcome)
    if final is not None:
        return Done(final)
    if outcome == "function_error":
        attempt = event.attempt + 1
        if attempt > rules.attempts_most:
            return Done("RetriesExhausted")
        event = dataclasses.replace(event, attempt=attempt)
        delay = rules.base_seconds * attempt
    else:
        delay = _backoff(event.throttles)
        event = dataclasses.replace(event, throttles=event.throttles + 1)
    if too_old(event, now + delay, rules):
        return Done("EventAgeExceeded")
    return Retry(dataclasses.replace(event, due_at=now + delay))


def after_failed_delivery(event: EventInvocation, now: float) -> EventInvocation | None:
    """When to try again to tell of its outcome; None where that was tried often enough."""
    assert event.outcome is not None
    deliveries = event.outcome.deliveries + 1
    if deliveries >= _DELIVERIES_MOST:
        return None
    outcome = dataclasses.replace(event.outcome, deliveries=deliveries)
    return dataclasses.replace(event, outcome=outcome, due_at=now + _backoff(deliveries - 1))


def _backoff(times: int) -> float:
    return min(_THROTTLE_FIRST_SECONDS * 2.0 ** min(times, 30), _THROTTLE_MOST_SECONDS)
