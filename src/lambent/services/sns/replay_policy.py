"""What a subscription is to get again of its topic's archive.

Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-subscriber.html
"""

import json
from datetime import UTC, datetime
from typing import Any

from lambent.base.ids import new_uuid
from lambent.model.topic import Subscription, Topic
from lambent.model.topic_archive import Replay
from lambent.services.sns.filter_policy import SubscriptionAttributeError, parse_policy

_MEMBERS = frozenset({"PointType", "StartingPoint", "EndingPoint"})


def check_replay_policy(topic: Topic, text: str, now: int) -> None:
    """Raises SubscriptionAttributeError."""
    if not topic.is_fifo:
        raise SubscriptionAttributeError("ReplayPolicy: The attribute is valid for FIFO topics only")
    if topic.archived_since is None:
        raise SubscriptionAttributeError("ReplayPolicy: The topic does not have an active ArchivePolicy")
    policy = parse_policy("ReplayPolicy", text)
    if not isinstance(policy, dict):
        raise SubscriptionAttributeError("ReplayPolicy: must be a JSON object")
    for name in policy.keys() - _MEMBERS:
        raise SubscriptionAttributeError(f"ReplayPolicy: invalid JSON. Attribute {name} is unknown.")
    if policy.get("PointType") != "Timestamp":
        raise SubscriptionAttributeError("ReplayPolicy: PointType must be Timestamp")
    if policy.get("StartingPoint") is None:
        raise SubscriptionAttributeError("ReplayPolicy: StartingPoint is required")
    starting, ending = _point(policy, "StartingPoint"), _point(policy, "EndingPoint")
    if starting is not None and starting > now:
        raise SubscriptionAttributeError("ReplayPolicy: StartingPoint must be in the past")
    if starting is not None and ending is not None and ending <= starting:
        raise SubscriptionAttributeError("ReplayPolicy: EndingPoint must be after StartingPoint")


def new_replay(subscription: Subscription) -> Replay | None:
    """What the policy, which was checked, asks for. Whoever is not confirmed yet gets nothing."""
    text = subscription.attributes.get("ReplayPolicy")
    if text is None or not subscription.confirmed:
        return None
    policy = json.loads(text)
    starting = _point(policy, "StartingPoint")
    assert starting is not None
    return Replay(
        subscription_arn=subscription.arn,
        topic_arn=subscription.topic_arn,
        id=new_uuid(),
        starting_at=starting,
        ending_at=_point(policy, "EndingPoint"),
        after_at=starting,
    )


def _point(policy: dict[str, Any], name: str) -> int | None:
    """Milliseconds; times without a zone are UTC."""
    value = policy.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise SubscriptionAttributeError(f"ReplayPolicy: {name} must be a timestamp in ISO 8601") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
