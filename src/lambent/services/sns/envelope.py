"""What subscribers are sent: notifications and confirmations as JSON, events for functions, messages for queues.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lambent.model.queue import MessageAttribute
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.signing import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A published message. `bodies` are those of protocols that have one of their own; `body` is for all others."""

    id: str
    body: str
    bodies: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    attributes: Mapping[str, MessageAttribute] = field(default_factory=dict)
    published_at: int
    sequence_number: int | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    trace_header: str | None = None

    def body_for(self, protocol: str) -> str:
        return self.bodies.get(protocol, self.body)


class Envelopes:
    """`link_base` is for subscriptions that were made without a known address of this server."""

    def __init__(self, signer: Signer, link_base: str) -> None:
        self._signer = signer
        self._link_base = link_base
        self._signed: tuple[tuple[str, str, str], str] = (("", "", ""), "")

    def notification(self, topic: Topic, subscription: Subscription, message: Message) -> dict[str, Any]:
        """In AWS's order. What FIFO topics send is not signed."""
        body = message.body_for(subscription.protocol)
        members: dict[str, Any] = {"Type": "Notification", "MessageId": message.id}
        if topic.is_fifo:
            members["SequenceNumber"] = str(message.sequence_number)
        members["TopicArn"] = topic.arn
        if message.subject is not None:
            members["Subject"] = message.subject
        members |= {"Message": body, "Timestamp": timestamp(message.published_at)}
        if not topic.is_fifo:
            members |= self._signature(topic, subscription, members)
        members["UnsubscribeURL"] = (
            f"{self._base(subscription)}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
        )
        if message.attributes:
            members["MessageAttributes"] = _attribute_members(message.attributes)
        return members

    def confirmation(
        self, topic: Topic, subscription: Subscription, *, kind: str, token: str, id: str, now: int
    ) -> dict[str, str]:
        """`kind` is SubscriptionConfirmation or UnsubscribeConfirmation."""
        base = self._base(subscription)
        members = {
            "Type": kind,
            "MessageId": id,
            "Token": token,
            "TopicArn": topic.arn,
            "Message": _CONFIRMATIONS[kind].format(topic=topic.arn, subscription=subscription.arn),
            "SubscribeURL": f"{base}/?Action=ConfirmSubscription&TopicArn={topic.arn}&Token={token}",
            "Timestamp": timestamp(now),
        }
        return members | self._signature(topic, subscription, members)

    def _signature(self, topic: Topic, subscription: Subscription, members: dict[str, Any]) -> dict[str, str]:
        version = topic.attributes.get("SignatureVersion", "1")
        key = (members["MessageId"], members["Message"], members["Type"])
        if self._signed[0] != key:  # one message has many subscribers
            self._signed = (key, self._signer.sign(members, version))
        return {
            "SignatureVersion": version,
            "Signature": self._signed[1],
            "SigningCertURL": f"{self._base(subscription)}{self._signer.certificate_name}",
        }

    def _base(self, subscription: Subscription) -> str:
        return subscription.link_base or self._link_base


_CONFIRMATIONS = {
    "SubscriptionConfirmation": (
        "You have chosen to subscribe to the topic {topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    ),
    "UnsubscribeConfirmation": (
        "You have chosen to deactivate subscription {subscription}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    ),
}


def written(members: Mapping[str, Any]) -> str:
    """As AWS writes it: a member a line."""
    return json.dumps(members, indent=2, separators=(",", " : "), ensure_ascii=False)


def function_event(members: Mapping[str, Any], subscription: Subscription) -> dict[str, Any]:
    """The event that a subscribed function is invoked with, of a notification's members. It says that it is signed in
    version 1, as on AWS, also where the topic has it signed in version 2."""
    sns = {
        "Type": members["Type"],
        "MessageId": members["MessageId"],
        "TopicArn": members["TopicArn"],
        "Subject": members.get("Subject"),
        "Message": members["Message"],
        "Timestamp": members["Timestamp"],
        "SignatureVersion": "1",
        "Signature": members.get("Signature", ""),
        "SigningCertUrl": members.get("SigningCertURL", ""),
        "UnsubscribeUrl": members["UnsubscribeURL"],
        "MessageAttributes": members.get("MessageAttributes", {}),
    }
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": sns,
    }
    return {"Records": [record]}


def timestamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def _attribute_members(attributes: Mapping[str, MessageAttribute]) -> dict[str, dict[str, str | None]]:
    return {
        name: {
            "Type": one.data_type,
            "Value": one.string_value
            if one.binary_value is None
            else base64.b64encode(one.binary_value).decode(),
        }
        for name, one in attributes.items()
    }
