from dataclasses import replace

import pytest

from lambent.model.delivery import Delivery
from lambent.targets.retries import GiveUp, Retry, after_failure

DELIVERY = Delivery(
    queue="events",
    account_id="123456789012",
    region="eu-west-1",
    source_arn="arn",
    target={"Arn": "a"},
    payload=b"",
    accepted_at=1000.0,
    due_at=1000.0,
)


def decide(delivery=DELIVERY, *, retriable=True, now=1000.0, jitter=0.0):
    return after_failure(delivery, retriable=retriable, now=now, base_seconds=1.0, jitter=jitter)


@pytest.mark.parametrize(
    ("attempts", "jitter", "delay"),
    [(0, 0.0, 1.0), (0, 1.0, 0.5), (3, 0.0, 8.0), (9, 0.0, 512.0), (100, 0.0, 512.0), (100, 1.0, 256.0)],
)
def test_delays_double_up_to_a_limit_less_some_jitter(attempts, jitter, delay):
    decision = decide(replace(DELIVERY, attempts=attempts), jitter=jitter)
    assert decision == Retry(replace(DELIVERY, attempts=attempts + 1, due_at=1000.0 + delay))


def test_what_cannot_pass_by_itself_is_not_tried_again():
    assert decide(retriable=False) == GiveUp(DELIVERY, None)


def test_the_retry_policy_counts_retries():
    two = replace(DELIVERY, target={"Arn": "a", "RetryPolicy": {"MaximumRetryAttempts": 2}})
    assert isinstance(decide(replace(two, attempts=1)), Retry)
    spent = replace(two, attempts=2)
    assert decide(spent) == GiveUp(spent, "MaximumRetryAttempts")
    default = replace(DELIVERY, attempts=185)
    assert decide(default) == GiveUp(default, "MaximumRetryAttempts")


def test_the_retry_policy_limits_the_age():
    minute = replace(DELIVERY, target={"Arn": "a", "RetryPolicy": {"MaximumEventAgeInSeconds": 60}})
    assert isinstance(decide(minute, now=1059.0), Retry)
    assert decide(minute, now=1059.1) == GiveUp(minute, "MaximumEventAgeInSeconds")
    assert isinstance(decide(now=1000.0 + 86_399), Retry)
    assert isinstance(decide(now=1000.0 + 86_400), GiveUp)
