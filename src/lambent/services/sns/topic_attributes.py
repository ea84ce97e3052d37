"""Topic attributes: which there are, what values they take, what they are by default.

Source: CreateTopic, SetTopicAttributes and GetTopicAttributes in the SNS API reference.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.model.topic import Topic
from lambent.services.sns import delivery_status
from lambent.services.sns.archive_policy import beginning_archive_time, check_archive_policy
from lambent.services.sns.delivery_policy import (
    check_topic_policy,
    effective_topic_policy,
    own_topic_policy,
)
from lambent.services.sns.envelope import timestamp
from lambent.services.sns.errors import InvalidParameter, invalid

_FLAGS = ("FifoTopic", "ContentBasedDeduplication")
_FIFO_ONLY = frozenset({"ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope"})
_PLAIN = ("DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
SETTABLE = frozenset({*_PLAIN, *_FIFO_ONLY, *delivery_status.ATTRIBUTES})
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "FifoThroughputScope": ("Topic", "MessageGroup"),
    "SignatureVersion": ("1", "2"),
    "TracingConfig": ("PassThrough", "Active"),
}
_NOT_OFFERED = re.compile(r"(Firehose|Application)(Success|Failure)Feedback(RoleArn|SampleRate)")
_DISPLAY_NAME_MOST = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+\.fifo")
_OWNERS_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def check_name(name: str, attributes: Mapping[str, str]) -> None:
    """Raises InvalidParameter."""
    is_fifo = attributes.get("FifoTopic", "false").lower() == "true"
    if is_fifo:
        if not _FIFO_NAME.fullmatch(name):
            raise invalid(
                "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII "
                "letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long."
            )
    elif not _NAME.fullmatch(name):
        raise invalid("Topic Name")


def check_value(name: str, value: str, *, is_fifo: bool, creating: bool) -> None:
    """Raises InvalidParameter."""
    if _NOT_OFFERED.fullmatch(name):
        if value:
            raise invalid(f"AttributeName Reason: Lambent does not offer {name}")
        return
    if name not in SETTABLE and not (creating and name == "FifoTopic"):
        raise (
            invalid("Attributes Reason: Unknown attribute " + name) if creating else invalid("AttributeName")
        )
    if name in _FIFO_ONLY and not is_fifo:
        raise invalid(f"{name} Reason: The attribute is valid for FIFO topics only")
    if name in _FLAGS and value.lower() not in ("true", "false"):
        raise invalid(f"{name} Reason: {name}: Invalid value [{value}]. Must be true or false.")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise invalid(name)
    if name == "DisplayName" and len(value) > _DISPLAY_NAME_MOST:
        raise invalid("DisplayName Reason: DisplayName must be less than or equal to 100 characters long")
    if name in delivery_status.ATTRIBUTES:
        delivery_status.check_value(name, value)
    if name == "Policy" and value:
        check_policy(value)
    if name == "DeliveryPolicy" and value:
        check_topic_policy(value)
    if name == "ArchivePolicy":
        check_archive_policy(value)


def check_policy(document: str) -> None:
    """Raises InvalidParameter."""
    try:
        parse_policy(document, PolicyKind.RESOURCE)
    except MalformedPolicyError as error:
        raise InvalidParameter(f"Invalid parameter: Policy Error: {error}") from None


def policy_of(topic: Topic) -> str:
    return topic.attributes.get("Policy") or default_policy(topic)


def default_policy(topic: Topic) -> str:
    """What AWS attaches to a topic without a policy: its owner's account may do everything."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _OWNERS_ACTIONS],
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.account_id}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(policy, separators=(",", ":"))


def with_attributes(topic: Topic, given: Mapping[str, str], now: int) -> Topic:
    """Empty values take away. What an archive keeps begins when it has a policy, and ends with it."""
    attributes = {**topic.attributes, **given}
    attributes = {name: value for name, value in attributes.items() if value not in ("", "{}")}
    since = (topic.archived_since or now) if "ArchivePolicy" in attributes else None
    return replace(topic, attributes=attributes, archived_since=since)


def described(
    topic: Topic, *, confirmed: int = 0, pending: int = 0, deleted: int = 0, now: int = 0
) -> dict[str, Any]:
    given = {name: value for name, value in topic.attributes.items() if value}
    if "DeliveryPolicy" in given:
        own = own_topic_policy(given["DeliveryPolicy"])
        given["DeliveryPolicy"] = json.dumps(own, separators=(",", ":"))
    beginning = beginning_archive_time(topic, now)
    if beginning is not None:
        given["BeginningArchiveTime"] = timestamp(beginning)
    return {
        "Policy": policy_of(topic),
        "Owner": topic.account_id,
        "SubscriptionsPending": str(pending),
        "TopicArn": topic.arn,
        "EffectiveDeliveryPolicy": json.dumps(effective_topic_policy(topic), separators=(",", ":")),
        "SubscriptionsConfirmed": str(confirmed),
        "SubscriptionsDeleted": str(deleted),
        "DisplayName": "",
        **({"FifoTopic": "true", "ContentBasedDeduplication": "false"} if topic.is_fifo else {}),
        **given,
    }
