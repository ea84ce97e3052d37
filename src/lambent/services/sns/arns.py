"""ARNs of topics and subscriptions in requests."""

from lambent.model.caller import Caller, Parameters
from lambent.services.sns.errors import invalid

_TOPIC_PARTS = 6
_SUBSCRIPTION_PARTS = 7
PENDING = "PendingConfirmation"


def require_topic_arn(arn: str, caller: Caller, parameter: str = "TopicArn") -> str:
    """Raises InvalidParameter for what is no topic's ARN, or one of another region."""
    parts = arn.split(":")
    if len(parts) < _TOPIC_PARTS:
        raise invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if len(parts) != _TOPIC_PARTS or parts[0] != "arn" or parts[2] != "sns" or parts[3] != caller.region:
        raise invalid(parameter)
    return arn


def require_subscription_arn(arn: str) -> str:
    """Raises InvalidParameter."""
    parts = arn.split(":")
    if len(parts) < _TOPIC_PARTS:
        raise invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if len(parts) != _SUBSCRIPTION_PARTS or parts[2] != "sns":
        raise invalid("SubscriptionId")
    return arn


def topic_of(subscription_arn: str) -> str:
    return subscription_arn.rpartition(":")[0]


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    """Permissions are for topics, also where a subscription is named."""
    for name in ("TopicArn", "TargetArn", "ResourceArn"):
        if parameters.get(name):
            return str(parameters[name])
    if parameters.get("SubscriptionArn", "").count(":") == _SUBSCRIPTION_PARTS - 1:
        return topic_of(parameters["SubscriptionArn"])
    if "Name" in parameters:
        from_region = caller.partition, caller.region, caller.account_id, parameters["Name"]
        return "arn:{}:sns:{}:{}:{}".format(*from_region)
    return "*"
