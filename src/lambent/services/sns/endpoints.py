"""Where messages can go: protocols and their endpoints.

Source: Subscribe in the SNS API reference.
"""

import re
from urllib.parse import urlsplit

from lambent.model.topic import Topic
from lambent.services.sns.errors import InvalidParameter, invalid

_OFFERED = ("http", "https", "lambda", "sqs")
_PHONE_NUMBER = re.compile(r"\+[1-9]\d{1,14}")
_OTHERS = ("application", "email", "email-json", "firehose", "sms")


def check_endpoint(topic: Topic, protocol: str, endpoint: str) -> None:
    """Raises InvalidParameter."""
    if protocol == "sms" and not is_phone_number(endpoint):
        raise InvalidParameter(f"Invalid SMS endpoint: {endpoint}")
    if protocol in _OTHERS:
        raise invalid(f"Protocol Reason: Lambent does not deliver by {protocol}")
    if protocol not in _OFFERED:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint:
        raise invalid("Endpoint Reason: Please provide an endpoint")
    if protocol in ("http", "https"):
        parts = urlsplit(endpoint)
        if parts.scheme != protocol or not parts.hostname:
            raise invalid("Endpoint must match the specified protocol")
        if topic.is_fifo:
            raise _not_for_fifo(protocol)
        return
    service_parts = endpoint.split(":")
    is_arn = len(service_parts) >= 6 and service_parts[0] == "arn" and service_parts[2] == protocol
    if protocol == "sqs":
        if not is_arn or len(service_parts) != 6:
            raise invalid("SQS endpoint ARN")
        if endpoint.endswith(".fifo") and not topic.is_fifo:
            raise invalid(
                "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
            )
    elif not is_arn:
        raise invalid("Lambda endpoint ARN")
    elif topic.is_fifo:
        raise _not_for_fifo(protocol)


def is_phone_number(text: str) -> bool:
    """As E.164 writes it."""
    return _PHONE_NUMBER.fullmatch(text) is not None


def owner_of(protocol: str, endpoint: str) -> str | None:
    """The account of a queue or function; None for what has no account."""
    return endpoint.split(":")[4] if protocol in ("sqs", "lambda") else None


def _not_for_fifo(protocol: str) -> Exception:
    return invalid(
        f"Invalid parameter: Endpoint Reason: FIFO topics do not support the protocol {protocol}: "
        "Please use SQS queues"
    )
