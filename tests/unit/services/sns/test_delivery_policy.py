"""When a failed delivery is tried again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambent.model.delivery import Delivery
from lambent.model.topic import Topic
from lambent.services.sns.delivery_policy import (
    SERVICES,
    check_subscription_policy,
    check_topic_policy,
    decide,
    effective_topic_policy,
    own_topic_policy,
    retry_delay,
)
from lambent.services.sns.errors import InvalidParameter
from lambent.targets.retries import GiveUp, Retry

TOPIC = Topic(account_id="1", region="r", name="t", created_at=0)


def policy(**changes: Any) -> dict[str, Any]:
    default = effective_topic_policy(TOPIC)["http"]["defaultHealthyRetryPolicy"]
    return {**default, **changes}


def delays(retries: dict[str, Any]) -> list[float]:
    return [round(retry_delay(retries, number), 2) for number in range(retries["numRetries"])]


def test_three_retries_every_twenty_seconds_by_default() -> None:
    assert delays(policy()) == [20, 20, 20]


def test_at_once_then_slowly_then_backing_off() -> None:
    retries = policy(
        minDelayTarget=10,
        maxDelayTarget=30,
        numRetries=8,
        numNoDelayRetries=2,
        numMinDelayRetries=1,
        numMaxDelayRetries=1,
    )
    assert delays(retries) == [0, 0, 10, 15, 20, 25, 30, 30]


@pytest.mark.parametrize("function", ["linear", "arithmetic", "geometric", "exponential"])
def test_every_backoff_ends_at_the_longest_delay(function: str) -> None:
    found = delays(policy(minDelayTarget=1, maxDelayTarget=60, numRetries=10, backoffFunction=function))
    assert found == sorted(found)
    assert (found[0] >= 1, found[-1]) == (True, 60)


def test_queues_and_functions_are_tried_for_23_days() -> None:
    total = sum(retry_delay(SERVICES, number) for number in range(SERVICES["numRetries"]))
    assert 23 <= total / 86_400 < 24
    assert [retry_delay(SERVICES, number) for number in range(5)] == [0, 0, 0, 1, 1]


def test_decisions() -> None:
    delivery = Delivery(
        queue="sns",
        account_id="1",
        region="r",
        source_arn="t",
        target={"Retries": policy()},
        payload=b"",
        accepted_at=0,
        due_at=0,
    )

    def decided(attempts: int, *, retriable: bool = True) -> Retry | GiveUp:
        failed = replace(delivery, attempts=attempts)
        return decide(failed, retriable=retriable, now=100.0, base_seconds=0.5, jitter=0.0)

    retry = decided(2)
    assert isinstance(retry, Retry)
    assert (retry.delivery.attempts, retry.delivery.due_at) == (3, 110.0)
    assert isinstance(decided(3), GiveUp)
    assert isinstance(decided(0, retriable=False), GiveUp)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        '{"healthyRetryPolicy": 1}',
        '{"healthyRetryPolicy": {"numRetries": 101}}',
        '{"healthyRetryPolicy": {"numRetries": "3"}}',
        '{"healthyRetryPolicy": {"minDelayTarget": 30}}',
        '{"healthyRetryPolicy": {"numNoDelayRetries": 4}}',
        '{"healthyRetryPolicy": {"backoffFunction": "x"}}',
        '{"healthyRetryPolicy": {"x": 1}}',
    ],
)
def test_policies_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid parameter: DeliveryPolicy"):
        check_subscription_policy(text)


def test_a_topics_policy_as_it_is_shown() -> None:
    text = json.dumps({"http": {"defaultHealthyRetryPolicy": None, "defaultRequestPolicy": None}})
    check_topic_policy(text)
    assert own_topic_policy(text) == {"http": {"disableSubscriptionOverrides": False}}
