"""Filter policies: which messages a subscription gets.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html and, for limits,
https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lambent.model.event_pattern import InvalidPatternError, Pattern, parse_pattern
from lambent.model.queue import MessageAttribute
from lambent.model.topic import Subscription

ATTRIBUTES_SCOPE = "MessageAttributes"
BODY_SCOPE = "MessageBody"
_SOURCE = re.compile(r"\[Source: \(String\).*(?=; line: \d+, column: \d+\]$)", re.DOTALL)
_REDACTED = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
_KEYS_MOST = 5
_COMBINATIONS_MOST = 150
_BYTES_MOST = 262_144


class SubscriptionAttributeError(Exception):
    """The message is AWS's: what follows "Invalid parameter: " or "Invalid parameter: Attributes Reason: "."""


def check_filter_policy(text: str, scope: str) -> None:
    """Raises SubscriptionAttributeError."""
    policy = parse_policy("FilterPolicy", text)
    try:
        parse_pattern(text, is_filter_policy=True)
    except InvalidPatternError as error:
        raise SubscriptionAttributeError(f"FilterPolicy: {_redacted(error)}") from None
    if len(text.encode()) > _BYTES_MOST:
        raise SubscriptionAttributeError("FilterPolicy: Filter policy is too large")
    if scope == ATTRIBUTES_SCOPE and any(isinstance(rule, dict) for rule in policy.values()):
        raise SubscriptionAttributeError(
            "Filter policy scope MessageAttributes does not support nested filter policy"
        )
    keys, combinations = _size(policy, 1)
    if keys > _KEYS_MOST:
        raise SubscriptionAttributeError("FilterPolicy: Filter policy can not have more than 5 keys")
    if combinations > _COMBINATIONS_MOST:
        raise SubscriptionAttributeError("FilterPolicy: Filter policy is too complex")


def wants(subscription: Subscription, message: str, attributes: Mapping[str, MessageAttribute]) -> bool:
    """Whether the subscription's filter lets a message through; one without a filter gets everything."""
    text = subscription.attributes.get("FilterPolicy")
    if not text or text == "{}":
        return True
    if subscription.attributes.get("FilterPolicyScope", ATTRIBUTES_SCOPE) == BODY_SCOPE:
        event = _body(message)
        return event is not None and _compiled(text).matches(event)
    return _compiled(text).matches({name: _value(one) for name, one in attributes.items()})


def why_unwanted(subscription: Subscription, message: str, attributes: Mapping[str, MessageAttribute]) -> str:
    """What SNS counts it under, of a message that the filter does not let through."""
    if subscription.attributes.get("FilterPolicyScope") == BODY_SCOPE:
        return "InvalidMessageBody" if _body(message) is None else "MessageBody"
    return "MessageAttributes" if attributes else "NoMessageAttributes"


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Pattern:
    """Of a policy that was checked when it was set: those of before may say more than SNS takes now."""
    return parse_pattern(text)


def parse_policy(name: str, text: str) -> Any:
    """Of the attribute of this name, as JSON. Raises SubscriptionAttributeError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        try:
            parse_pattern(text)  # its reader says what AWS's would
        except InvalidPatternError as error:
            raise SubscriptionAttributeError(f"{name}: failed to parse JSON. {_redacted(error)}") from None
        raise SubscriptionAttributeError(f"{name}: failed to parse JSON.") from None


def _redacted(error: InvalidPatternError) -> str:
    """SNS does not repeat the text in which it found an error."""
    return _SOURCE.sub(lambda _: _REDACTED, str(error))


def _size(policy: Mapping[str, Any], depth: int) -> tuple[int, int]:
    """How many keys it has, and how many combinations they make: the product of each key's values and its depth."""
    keys, combinations = 0, 1
    for name, rule in policy.items():
        if name == "$or" and isinstance(rule, list):
            inner = [_size(one, depth) for one in rule if isinstance(one, dict)]
            keys += sum(count for count, _ in inner)
            combinations *= max(1, sum(count for _, count in inner))
        elif isinstance(rule, dict):
            inner_keys, inner_combinations = _size(rule, depth + 1)
            keys += inner_keys
            combinations *= inner_combinations
        else:
            keys += 1
            combinations *= _alternatives(rule) * depth
    return keys, combinations


def _alternatives(rule: list[Any]) -> int:
    """{"anything-but": [a, b]} counts as two."""
    count = 0
    for one in rule:
        values = next(iter(one.values())) if isinstance(one, dict) and one else None
        count += len(values) if isinstance(values, list) and "anything-but" in one else 1
    return max(1, count)


def _body(message: str) -> dict[str, Any] | None:
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _value(attribute: MessageAttribute) -> Any:
    """As JSON: numbers and arrays are what they say."""
    text = attribute.string_value
    if text is None:
        return None
    kind = attribute.data_type
    if kind == "String.Array" or kind.partition(".")[0] == "Number":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
