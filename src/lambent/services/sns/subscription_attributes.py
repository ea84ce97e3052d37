"""Subscription attributes: what values they take.

Source: Subscribe and SetSubscriptionAttributes in the SNS API reference.
"""

import json
from collections.abc import Mapping

from lambent.model.topic import Subscription, Topic
from lambent.services.sns.delivery_policy import (
    check_subscription_policy,
    effective_subscription_policy,
    own_subscription_policy,
)
from lambent.services.sns.endpoints import EMAIL_PROTOCOLS
from lambent.services.sns.errors import InvalidParameter, invalid
from lambent.services.sns.filter_policy import (
    ATTRIBUTES_SCOPE,
    BODY_SCOPE,
    SubscriptionAttributeError,
    check_filter_policy,
    parse_policy,
)
from lambent.services.sns.replay_policy import check_replay_policy

SETTABLE = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
)
_NOT_OFFERED = ("SubscriptionRoleArn",)
_RAW_PROTOCOLS = ("sqs", "http", "https")
HTTP_PROTOCOLS = ("http", "https")
CONFIRMED_BY_LINK = (*HTTP_PROTOCOLS, *EMAIL_PROTOCOLS)


def check(subscription: Subscription, topic: Topic, name: str, value: str, now: int) -> None:
    """Of one attribute that the subscription would have. The messages are without "Invalid parameter: ", which is not
    the same for Subscribe and SetSubscriptionAttributes. Raises SubscriptionAttributeError."""
    if name in _NOT_OFFERED:
        raise SubscriptionAttributeError(f"Lambent does not offer the attribute {name}")
    if name not in SETTABLE:
        raise SubscriptionAttributeError("AttributeName")
    if name == "RawMessageDelivery":
        if value.lower() not in ("true", "false"):
            raise SubscriptionAttributeError(
                f"RawMessageDelivery: Invalid value [{value}]. Must be true or false."
            )
        if value.lower() == "true" and subscription.protocol not in _RAW_PROTOCOLS:
            raise SubscriptionAttributeError(
                "RawMessageDelivery: Invalid value [true]. Delivery protocol [" + subscription.protocol + "] "
                "does not support raw message delivery."
            )
    if name == "FilterPolicyScope" and value not in (ATTRIBUTES_SCOPE, BODY_SCOPE):
        raise SubscriptionAttributeError(
            f"FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
        )
    if name == "FilterPolicy" and value and value != "{}":
        check_filter_policy(value, subscription.attributes.get("FilterPolicyScope", ATTRIBUTES_SCOPE))
    if name == "RedrivePolicy" and value:
        _check_redrive(subscription, topic, value)
    if name == "ReplayPolicy" and value != "{}":
        check_replay_policy(topic, value, now)
    if name == "DeliveryPolicy" and value:
        if subscription.protocol not in HTTP_PROTOCOLS:
            raise SubscriptionAttributeError(
                f"DeliveryPolicy: Delivery protocol [{subscription.protocol}] does not support delivery policies."
            )
        try:
            check_subscription_policy(value)
        except InvalidParameter as error:
            raise SubscriptionAttributeError(error.message.removeprefix("Invalid parameter: ")) from None


def merged(attributes: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Empty values take away."""
    return {name: value for name, value in {**attributes, **given}.items() if value and value != "{}"}


def described(subscription: Subscription, topic: Topic, replay_status: str | None = None) -> dict[str, str]:
    given = dict(subscription.attributes)
    if replay_status is not None:
        given["ReplayStatus"] = replay_status
    if "FilterPolicy" in given:
        given.setdefault("FilterPolicyScope", ATTRIBUTES_SCOPE)
    else:
        given.pop("FilterPolicyScope", None)
    if "DeliveryPolicy" in given:
        own = own_subscription_policy(given["DeliveryPolicy"])
        given["DeliveryPolicy"] = json.dumps(own, separators=(",", ":"))
    if subscription.protocol in HTTP_PROTOCOLS:
        effective = effective_subscription_policy(subscription, topic)
        given["EffectiveDeliveryPolicy"] = json.dumps(effective, separators=(",", ":"))
    return {
        "SubscriptionArn": subscription.arn,
        "TopicArn": subscription.topic_arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "ConfirmationWasAuthenticated": "true" if subscription.authenticated else "false",
        "PendingConfirmation": "false" if subscription.confirmed else "true",
        "RawMessageDelivery": "false",
        "SubscriptionPrincipal": subscription.principal_arn,
        **given,
    }


def same(subscription: Subscription, given: Mapping[str, str]) -> bool:
    """Whether what is given is what the subscription has."""
    has = {"RawMessageDelivery": "false", "FilterPolicyScope": ATTRIBUTES_SCOPE, **subscription.attributes}
    return all(has.get(name, "") == value for name, value in given.items())


def _check_redrive(subscription: Subscription, topic: Topic, text: str) -> None:
    members = parse_policy("RedrivePolicy", text)
    given = members if isinstance(members, dict) else {}
    for unknown in given.keys() - {"deadLetterTargetArn"}:
        raise SubscriptionAttributeError(f"RedrivePolicy: invalid JSON. Attribute {unknown} is unknown.")
    arn = given.get("deadLetterTargetArn")
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs":
        raise SubscriptionAttributeError("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if topic.is_fifo and subscription.endpoint.endswith(".fifo") and not parts[5].endswith(".fifo"):
        raise SubscriptionAttributeError(
            "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
        )
    if parts[3] != topic.region:
        raise SubscriptionAttributeError("RedrivePolicy: deadLetterTargetArn must be in the same region")


def refuse_subscribing(error: SubscriptionAttributeError) -> InvalidParameter:
    return invalid(f"Attributes Reason: {error}")
