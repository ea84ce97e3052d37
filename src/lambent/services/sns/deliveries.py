"""What a subscription is to be delivered of a message: all that its courier needs to know, fixed at that time."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lambent.model.delivery import Delivery
from lambent.model.queue import MessageAttribute
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.delivery_policy import SERVICES, effective_subscription_policy
from lambent.services.sns.delivery_status import feedback
from lambent.services.sns.envelope import Envelopes, Message, function_event, written
from lambent.services.sns.subscription_attributes import HTTP_PROTOCOLS


class Deliveries:
    def __init__(self, envelopes: Envelopes) -> None:
        self._envelopes = envelopes

    def notification(
        self, topic: Topic, subscription: Subscription, message: Message, *, replay_id: str = ""
    ) -> Delivery:
        """`replay_id` is of the replay in which it is delivered again."""
        is_raw = subscription.attributes.get("RawMessageDelivery", "").lower() == "true"
        event: bytes | None = None
        if is_raw:
            payload = message.body_for(subscription.protocol)
        else:
            members = self._envelopes.notification(topic, subscription, message)
            if replay_id:
                members["Replayed"] = "true"
            payload = written(members)
            if subscription.protocol == "lambda":
                event = payload.encode()  # what a dead letter has
                payload = json.dumps(function_event(members, subscription), separators=(",", ":"))
        return self._delivery(
            topic,
            subscription,
            payload.encode(),
            event=event,
            at=message.published_at,
            line=f"{subscription.arn} {message.group_id}" if topic.is_fifo else None,
            about=({"Replayed": True} if replay_id else {})
            | {
                "Kind": "Notification",
                "MessageId": message.id,
                "Raw": is_raw,
                "GroupId": _group(topic, subscription, message),
                "DeduplicationId": _deduplication_id(message, replay_id) if topic.is_fifo else None,
                "TraceHeader": message.trace_header,
                "Attributes": _attributes(message.attributes) if is_raw else {},
                "Feedback": feedback(topic, subscription.protocol, message.body_for(subscription.protocol)),
            },
        )

    def confirmation(
        self, topic: Topic, subscription: Subscription, *, kind: str, token: str, id: str, now: int
    ) -> Delivery:
        members = self._envelopes.confirmation(topic, subscription, kind=kind, token=token, id=id, now=now)
        return self._delivery(
            topic,
            subscription,
            written(members).encode(),
            event=None,
            at=now,
            about={"Kind": kind, "MessageId": id, "Raw": False},
        )

    def _delivery(
        self,
        topic: Topic,
        subscription: Subscription,
        payload: bytes,
        *,
        event: bytes | None,
        at: int,
        line: str | None = None,
        about: Mapping[str, Any],
    ) -> Delivery:
        policy = effective_subscription_policy(subscription, topic)
        is_http = subscription.protocol in HTTP_PROTOCOLS
        redrive = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
        return Delivery(
            queue="sns",
            account_id=topic.account_id,
            region=topic.region,
            source_arn=topic.arn,
            target={
                "Arn": subscription.arn,
                "Protocol": subscription.protocol,
                "Endpoint": subscription.endpoint,
                "Retries": policy["healthyRetryPolicy"] if is_http else dict(SERVICES),
                "ContentType": policy["requestPolicy"]["headerContentType"],
                "DeadLetters": redrive.get("deadLetterTargetArn"),
                **about,
            },
            payload=payload,
            event=event,
            accepted_at=at / 1000,
            due_at=at / 1000,
            line=line,
        )


def _deduplication_id(message: Message, replay_id: str) -> str | None:
    """A queue that had the message a minute ago gets it again, and has it once where a crash repeats a delivery."""
    if not replay_id:
        return message.deduplication_id
    return sha256(f"{replay_id} {message.id}".encode()).hexdigest()


def _group(topic: Topic, subscription: Subscription, message: Message) -> str | None:
    """A FIFO topic's group is for FIFO queues, a standard topic's for standard ones."""
    if subscription.protocol != "sqs":
        return None
    return message.group_id if subscription.endpoint.endswith(".fifo") == topic.is_fifo else None


def _attributes(attributes: Mapping[str, MessageAttribute]) -> dict[str, dict[str, Any]]:
    """As JSON, with bytes as Base64."""
    return {
        name: {"DataType": one.data_type}
        | (
            {"StringValue": one.string_value}
            if one.binary_value is None
            else {"BinaryValue": base64.b64encode(one.binary_value).decode()}
        )
        for name, one in attributes.items()
    }
