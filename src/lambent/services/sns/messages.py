"""A message on its way in: from the parameters of Publish, or an entry of its batch."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.topic import Topic
from lambent.services.sns.envelope import Message
from lambent.services.sns.errors import InvalidParameter, invalid
from lambent.services.sns.message_attributes import attributes_size, parse_attributes

SIZE_MOST = 262_144
_SUBJECT_MOST = 100
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def new_message(topic: Topic | None, caller: Caller, parameters: Parameters, now: int) -> Message:
    """Without its sequence number; `topic` is None for a phone number. Raises what AWS says of a message that cannot
    be published there."""
    text: str = parameters.get("Message") or ""
    if not text:
        raise invalid("Empty message")
    subject = parameters.get("Subject")
    if subject is not None and not _is_subject(subject):
        raise invalid("Subject")
    attributes = parse_attributes(parameters.get("MessageAttributes") or {})
    bodies = _bodies(text, parameters.get("MessageStructure"))
    if topic is not None:
        _check_ids(topic, parameters)
    message = Message(
        id=new_uuid(),
        body=bodies.pop("default"),
        bodies=bodies,
        subject=subject,
        attributes=attributes,
        published_at=now,
        group_id=parameters.get("MessageGroupId"),
        deduplication_id=_deduplication_id(topic, parameters, text),
        trace_header=caller.headers.get("x-amzn-trace-id"),
    )
    return message


def size_of(parameters: Parameters) -> int:
    """What counts against the limit, in bytes. Raises ParameterValueInvalid."""
    attributes = parse_attributes(parameters.get("MessageAttributes") or {})
    return len((parameters.get("Message") or "").encode()) + attributes_size(attributes)


def check_size(parameters: Parameters) -> int:
    """Raises InvalidParameter."""
    size = size_of(parameters)
    if size > SIZE_MOST:
        raise invalid("Message too long")
    return size


def _is_subject(subject: str) -> bool:
    return (
        0 < len(subject) <= _SUBJECT_MOST
        and not subject[0].isspace()
        and all(character.isprintable() for character in subject)
    )


def _bodies(text: str, structure: str | None) -> dict[str, str]:
    """By protocol; that of all others is "default"."""
    if structure is None:
        return {"default": text}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        members = json.loads(text)
    except ValueError:
        raise invalid("Message Structure - JSON message body failed to parse") from None
    bodies: Mapping[str, object] = members if isinstance(members, dict) else {}
    texts = {protocol: body for protocol, body in bodies.items() if isinstance(body, str)}
    if "default" not in texts:
        raise invalid("Message Structure - No default entry in JSON message body")
    return texts


def _check_ids(topic: Topic, parameters: Parameters) -> None:
    """On a standard topic a group only goes on to standard queues, which are fair among groups."""
    group, deduplication = parameters.get("MessageGroupId"), parameters.get("MessageDeduplicationId")
    if not topic.is_fifo:
        if deduplication is not None:
            raise _not_valid("MessageDeduplicationId")
    elif group is None:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    elif deduplication is None and topic.attributes.get("ContentBasedDeduplication") != "true":
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", deduplication)):
        if value is not None and not _TOKEN.fullmatch(value):
            raise invalid(f"{name} Reason: {name} can only include alphanumeric and punctuation characters")


def _not_valid(parameter: str) -> InvalidParameter:
    return invalid(
        f"{parameter} Reason: The request includes {parameter} parameter that is not valid for this topic type"
    )


def _deduplication_id(topic: Topic | None, parameters: Parameters, text: str) -> str | None:
    if topic is None or not topic.is_fifo:
        return None
    given: str | None = parameters.get("MessageDeduplicationId")
    return given if given is not None else sha256(text.encode()).hexdigest()
