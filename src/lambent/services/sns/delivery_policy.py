"""Delivery policies: how often and how fast a failed delivery is tried again.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.model.delivery import Delivery
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.errors import invalid
from lambent.targets.retries import GiveUp, Retry

_DEFAULT: Mapping[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
SERVICES: Mapping[str, Any] = {
    "minDelayTarget": 1,
    "maxDelayTarget": 20,
    "numRetries": 100_015,
    "numMaxDelayRetries": 100_000,
    "numNoDelayRetries": 3,
    "numMinDelayRetries": 2,
    "backoffFunction": "exponential",
}
"""Of Lambda and SQS, whatever the policies of topic and subscription say: 23 days."""
PERSONS: Mapping[str, Any] = {
    "minDelayTarget": 10,
    "maxDelayTarget": 600,
    "numRetries": 50,
    "numMaxDelayRetries": 38,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 2,
    "backoffFunction": "exponential",
}
"""Of email and text messages: more than six hours."""
_CONTENT_TYPE = "text/plain; charset=UTF-8"
_BACKOFFS = ("linear", "arithmetic", "geometric", "exponential")
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "minDelayTarget": (1, 3600),
    "maxDelayTarget": (1, 3600),
    "numRetries": (0, 100),
    "numMaxDelayRetries": (0, 100),
    "numNoDelayRetries": (0, 100),
    "numMinDelayRetries": (0, 100),
}


def check_topic_policy(text: str) -> None:
    """Raises InvalidParameter."""
    http = _members(text, "DeliveryPolicy").get("http") or {}
    if not isinstance(http, dict):
        raise invalid("DeliveryPolicy: http: must be an object")
    _check_retries(http.get("defaultHealthyRetryPolicy"), "http.defaultHealthyRetryPolicy")


def check_subscription_policy(text: str) -> None:
    """Raises InvalidParameter."""
    _check_retries(_members(text, "DeliveryPolicy").get("healthyRetryPolicy"), "healthyRetryPolicy")


def own_topic_policy(text: str) -> dict[str, Any]:
    """As GetTopicAttributes shows it: what was given, and whether subscriptions may have their own."""
    http = json.loads(text).get("http") or {}
    given = {name: value for name, value in http.items() if value is not None}
    return {"http": {"disableSubscriptionOverrides": False, **given}}


def own_subscription_policy(text: str) -> dict[str, Any]:
    """As GetSubscriptionAttributes shows it: everything that there is, null where it was not given."""
    own = json.loads(text)
    return {
        "healthyRetryPolicy": own.get("healthyRetryPolicy"),
        "sicklyRetryPolicy": None,
        "throttlePolicy": own.get("throttlePolicy"),
        "requestPolicy": own.get("requestPolicy"),
        "guaranteed": False,
    }


def effective_topic_policy(topic: Topic) -> dict[str, Any]:
    http = json.loads(topic.attributes.get("DeliveryPolicy") or "{}").get("http") or {}
    return {
        "http": {
            "defaultHealthyRetryPolicy": {**_DEFAULT, **(http.get("defaultHealthyRetryPolicy") or {})},
            "disableSubscriptionOverrides": http.get("disableSubscriptionOverrides") or False,
            "defaultRequestPolicy": {
                "headerContentType": _CONTENT_TYPE,
                **(http.get("defaultRequestPolicy") or {}),
            },
        }
    }


def effective_subscription_policy(subscription: Subscription, topic: Topic) -> dict[str, Any]:
    of_topic = effective_topic_policy(topic)["http"]
    own = json.loads(subscription.attributes.get("DeliveryPolicy") or "{}")
    if of_topic["disableSubscriptionOverrides"]:
        own = {}
    return {
        "healthyRetryPolicy": {
            **of_topic["defaultHealthyRetryPolicy"],
            **(own.get("healthyRetryPolicy") or {}),
        },
        "sicklyRetryPolicy": None,
        "throttlePolicy": own.get("throttlePolicy"),
        "requestPolicy": {**of_topic["defaultRequestPolicy"], **(own.get("requestPolicy") or {})},
        "guaranteed": False,
    }


def decide(
    delivery: Delivery, *, retriable: bool, now: float, base_seconds: float, jitter: float
) -> Retry | GiveUp:
    """As `targets.retries.after_failure`. `base_seconds` is what one second of the policy takes here."""
    policy = delivery.target["Retries"]
    if not retriable:
        return GiveUp(delivery, None)
    if delivery.attempts >= policy["numRetries"]:
        return GiveUp(delivery, "MaximumRetryAttempts")
    due_at = now + retry_delay(policy, delivery.attempts) * base_seconds
    return Retry(replace(delivery, attempts=delivery.attempts + 1, due_at=due_at))


def retry_delay(policy: Mapping[str, Any], number: int) -> float:
    """Seconds before retry `number` (0 is the first): at once, then the shortest delay, then backing off, at last the
    longest."""
    shortest, longest = float(policy["minDelayTarget"]), float(policy["maxDelayTarget"])
    number -= policy["numNoDelayRetries"]
    if number < 0:
        return 0.0
    number -= policy["numMinDelayRetries"]
    if number < 0:
        return shortest
    backing_off = (
        policy["numRetries"]
        - policy["numNoDelayRetries"]
        - policy["numMinDelayRetries"]
        - policy["numMaxDelayRetries"]
    )
    if number >= backing_off:
        return longest
    return shortest + (longest - shortest) * _share(policy["backoffFunction"], (number + 1) / backing_off)


def _share(function: str, progress: float) -> float:
    """Of the way from the shortest to the longest delay; `progress` goes from above 0 to 1."""
    match function:
        case "exponential":
            return float((2 ** (10 * progress) - 1) / 1023)
        case "geometric":
            return float((2 ** (5 * progress) - 1) / 31)
        case "arithmetic":
            return progress * (progress + 1) / 2
    return progress


def _members(text: str, parameter: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except ValueError:
        raise invalid(f"{parameter}: failed to parse JSON") from None
    if not isinstance(members, dict):
        raise invalid(f"{parameter}: must be a JSON object")
    return members


def _check_retries(policy: Any, where: str) -> None:
    if policy is None:
        return
    if not isinstance(policy, dict):
        raise invalid(f"DeliveryPolicy: {where} must be an object")
    for name, value in policy.items():
        if name in _NUMBERS:
            low, high = _NUMBERS[name]
            if type(value) is not int or not low <= value <= high:
                raise invalid(f"DeliveryPolicy: {where}.{name} must be between {low} and {high}")
        elif name != "backoffFunction" or value not in _BACKOFFS:
            raise invalid(f"DeliveryPolicy: {where}.{name} is invalid")
    complete = {**_DEFAULT, **policy}
    if complete["maxDelayTarget"] < complete["minDelayTarget"]:
        raise invalid(
            f"DeliveryPolicy: {where}.maxDelayTarget must be greater than or equal to minDelayTarget"
        )
    retries = complete["numNoDelayRetries"] + complete["numMinDelayRetries"] + complete["numMaxDelayRetries"]
    if retries > complete["numRetries"]:
        raise invalid(
            f"DeliveryPolicy: {where}.numRetries must be greater than or equal to the total of retries"
        )
