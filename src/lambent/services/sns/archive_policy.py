"""What a FIFO topic keeps of its messages.

Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-topic-owner.html
"""

import json

from lambent.encryption.data_keys import DataKey
from lambent.model.topic import Topic
from lambent.model.topic_archive import ArchivedMessage
from lambent.services.sns.encryption import sealed_text
from lambent.services.sns.envelope import Message
from lambent.services.sns.errors import invalid
from lambent.store.records import Record

_DAY_MS = 86_400_000
_DAYS_MOST = 365
_MESSAGE = Record(Message)


def check_archive_policy(text: str) -> None:
    """Raises InvalidParameter."""
    try:
        policy = json.loads(text)
    except ValueError:
        raise invalid("ArchivePolicy: failed to parse JSON") from None
    if policy == {}:
        return
    if not isinstance(policy, dict) or policy.keys() != {"MessageRetentionPeriod"}:
        raise invalid("ArchivePolicy: MessageRetentionPeriod is the one attribute, and is required")
    days = str(policy["MessageRetentionPeriod"])
    if not (days.isascii() and days.isdigit() and 1 <= int(days) <= _DAYS_MOST):
        raise invalid(f"ArchivePolicy: MessageRetentionPeriod must be between 1 and {_DAYS_MOST} days")


def beginning_archive_time(topic: Topic, now: int) -> int | None:
    """What was published before is no longer kept. None where the topic keeps nothing."""
    policy = topic.attributes.get("ArchivePolicy")
    if policy is None or topic.archived_since is None:
        return None
    days = int(json.loads(policy)["MessageRetentionPeriod"])
    return max(topic.archived_since, now - days * _DAY_MS)


def archived(topic: Topic, message: Message, key: DataKey | None) -> ArchivedMessage | None:
    """As it is kept; None where it is not."""
    if topic.archived_since is None:
        return None
    document, data_key = sealed_text(key, _MESSAGE.encode(message))
    return ArchivedMessage(
        topic_arn=topic.arn, archived_at=message.published_at, document=document, data_key=data_key
    )


def message_of(document: str) -> Message:
    """Of a document that is open."""
    return _MESSAGE.decode(document)
