"""What a subscription is to be delivered of a message: all that its courier needs to know, fixed at that time."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lambent.model.caller import Caller
from lambent.model.delivery import Delivery
from lambent.model.queue import MessageAttribute
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.delivery_policy import PERSONS, SERVICES, effective_subscription_policy
from lambent.services.sns.delivery_status import feedback
from lambent.services.sns.endpoints import EMAIL_PROTOCOLS
from lambent.services.sns.envelope import Envelopes, Message, function_event, written
from lambent.services.sns.mail import subject_of, text_of
from lambent.services.sns.subscription_attributes import HTTP_PROTOCOLS


class Deliveries:
    def __init__(self, envelopes: Envelopes) -> None:
        self._envelopes = envelopes

    def notification(
        self, topic: Topic, subscription: Subscription, message: Message, *, replay_id: str = ""
    ) -> Delivery:
        """`replay_id` is of the replay in which it is delivered again."""
        is_raw = subscription.attributes.get("RawMessageDelivery", "").lower() == "true"
        is_bare = is_raw or subscription.protocol == "sms"
        event: bytes | None = None
        if is_bare:
            payload = message.body_for(subscription.protocol)
        else:
            members = self._envelopes.notification(topic, subscription, message)
            if replay_id:
                members["Replayed"] = "true"
            payload = written(members)
            if subscription.protocol == "lambda":
                event = payload.encode()  # what a dead letter has
                payload = json.dumps(function_event(members, subscription), separators=(",", ":"))
            elif subscription.protocol == "email":
                event = payload.encode()
                payload = text_of(members)
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
                "Attributes": _attributes(message.attributes) if is_bare else {},
                **_subject(subscription, "Notification", message.subject),
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
            (text_of(members) if subscription.protocol == "email" else written(members)).encode(),
            event=None,
            at=now,
            about={"Kind": kind, "MessageId": id, "Raw": False, **_subject(subscription, kind, None)},
        )

    def text_message(self, number: str, caller: Caller, message: Message) -> Delivery:
        """To a number that is no subscriber."""
        return Delivery(
            queue="sns",
            account_id=caller.account_id,
            region=caller.region,
            source_arn="",
            target={
                "Arn": "",
                "Protocol": "sms",
                "Endpoint": number,
                "Retries": dict(PERSONS),
                "MessageId": message.id,
                "Attributes": _attributes(message.attributes),
            },
            payload=message.body_for("sms").encode(),
            accepted_at=message.published_at / 1000,
            due_at=message.published_at / 1000,
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
                "Retries": policy["healthyRetryPolicy"] if is_http else _retries(subscription.protocol),
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


def _retries(protocol: str) -> dict[str, Any]:
    return dict(SERVICES if protocol in ("lambda", "sqs") else PERSONS)


def _subject(subscription: Subscription, kind: str, subject: str | None) -> dict[str, str]:
    """Of an email."""
    return {"Subject": subject_of(kind, subject)} if subscription.protocol in EMAIL_PROTOCOLS else {}


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
