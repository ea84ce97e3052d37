"""What becomes of an asynchronous invocation after a run: pure rules.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from lambent.model.invocation import EventInvocation

RunOutcome = Literal["succeeded", "function_error", "throttled", "gone"]
"""`throttled`: no capacity, or an error of ours; `gone`: the function is not there any more."""

_THROTTLE_FIRST_SECONDS = 1.0
_THROTTLE_MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """`base_seconds`: 60 on AWS, so that the two retries come after one and two minutes."""

    base_seconds: float = 60.0
    attempts_most: int = 2
    age_most_seconds: float = 21_600.0


@dataclass(frozen=True, slots=True)
class Done:
    reason: Literal["succeeded", "RetriesExhausted", "EventAgeExceeded", "FunctionNotFound"]


@dataclass(frozen=True, slots=True)
class Retry:
    invocation: EventInvocation


def after_run(event: EventInvocation, outcome: RunOutcome, now: float, rules: RetryRules) -> Done | Retry:
    if outcome == "succeeded":
        return Done("succeeded")
    if outcome == "gone":
        return Done("FunctionNotFound")
    if outcome == "function_error":
        attempt = event.attempt + 1
        if attempt > rules.attempts_most:
            return Done("RetriesExhausted")
        event = dataclasses.replace(event, attempt=attempt)
        delay = rules.base_seconds * attempt
    else:
        delay = min(_THROTTLE_FIRST_SECONDS * 2**event.throttles, _THROTTLE_MOST_SECONDS)
        event = dataclasses.replace(event, throttles=event.throttles + 1)
    if now + delay - event.accepted_at > rules.age_most_seconds:
        return Done("EventAgeExceeded")
    return Retry(dataclasses.replace(event, due_at=now + delay))
