"""Where messages can go: protocols and their endpoints.

Source: Subscribe in the SNS API reference.
"""

import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from lambent.model.topic import Topic
from lambent.services.sns.errors import InvalidParameter, invalid

EMAIL_PROTOCOLS = ("email", "email-json")
_SETTINGS: Mapping[str, str] = {
    "email": "smtp_server",
    "email-json": "smtp_server",
    "sms": "sms_gateway",
}
"""What has to be set for those who are reached beyond this server."""
_NOT_OFFERED = ("application", "firehose")
_PHONE_NUMBER = re.compile(r"\+[1-9]\d{1,14}")
_SMS_ENDPOINT = re.compile(r"\+\d(?:[./-]?\d){1,14}")
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


def check_endpoint(topic: Topic, protocol: str, endpoint: str) -> None:
    """Raises InvalidParameter."""
    if protocol in _NOT_OFFERED:
        raise invalid(f"Protocol Reason: Lambent does not deliver by {protocol}")
    if protocol not in _CHECKS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint and protocol != "sms":
        raise invalid("Endpoint Reason: Please provide an endpoint")
    _CHECKS[protocol](topic, protocol, endpoint)
    if topic.is_fifo and protocol != "sqs":
        raise invalid(
            f"Invalid parameter: Endpoint Reason: FIFO topics do not support the protocol {protocol}: "
            "Please use SQS queues"
        )


def require_reach(protocol: str, missing: Collection[str]) -> None:
    """`missing` are the settings that are not made. Raises InvalidParameter: nothing would ever be delivered."""
    setting = _SETTINGS.get(protocol)
    if setting in missing:
        raise invalid(f"Protocol Reason: Lambent delivers by {protocol} only where {setting} is set")


def _check_queue(topic: Topic, protocol: str, endpoint: str) -> None:
    if not _is_arn(protocol, endpoint) or endpoint.count(":") != 5:
        raise invalid("SQS endpoint ARN")
    if endpoint.endswith(".fifo") and not topic.is_fifo:
        raise invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        )


def _check_function(topic: Topic, protocol: str, endpoint: str) -> None:
    if not _is_arn(protocol, endpoint):
        raise invalid("Lambda endpoint ARN")


def _check_url(topic: Topic, protocol: str, endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme != protocol or not parts.hostname:
        raise invalid("Endpoint must match the specified protocol")


def _check_email(topic: Topic, protocol: str, endpoint: str) -> None:
    if not _EMAIL.fullmatch(endpoint):
        raise invalid("Email address")


def _check_number(topic: Topic, protocol: str, endpoint: str) -> None:
    if not _SMS_ENDPOINT.fullmatch(endpoint):
        raise InvalidParameter(f"Invalid SMS endpoint: {endpoint}")


_CHECKS: Mapping[str, Callable[[Topic, str, str], None]] = {
    "email": _check_email,
    "email-json": _check_email,
    "http": _check_url,
    "https": _check_url,
    "lambda": _check_function,
    "sms": _check_number,
    "sqs": _check_queue,
}


def _is_arn(service: str, text: str) -> bool:
    parts = text.split(":")
    return len(parts) >= 6 and parts[0] == "arn" and parts[2] == service


def is_phone_number(text: str) -> bool:
    """As E.164 writes it."""
    return _PHONE_NUMBER.fullmatch(text) is not None


def owner_of(protocol: str, endpoint: str) -> str | None:
    """The account of a queue or function; None for what has no account."""
    return endpoint.split(":")[4] if protocol in ("sqs", "lambda") else None
