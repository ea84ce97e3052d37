"""ARNs of log groups and streams, and the log group that a request is about."""

from lambent.base.arn import Arn
from lambent.model.caller import Caller, Parameters
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    ResourceNotFoundException,
    ValidationException,
)

_GROUP = "log-group:"


def group_arn(caller: Caller, group: str) -> str:
    """Without the ':*' that IAM policies and DescribeLogGroups' `arn` add."""
    return str(Arn(caller.partition, "logs", caller.region, caller.account_id, f"{_GROUP}{group}"))


def stream_arn(caller: Caller, group: str, stream: str) -> str:
    return f"{group_arn(caller, group)}:log-stream:{stream}"


def requested_group(caller: Caller, parameters: Parameters) -> str:
    """The name in `logGroupName` or `logGroupIdentifier`, of which exactly one must be given."""
    name: str | None = parameters.get("logGroupName")
    identifier: str | None = parameters.get("logGroupIdentifier")
    if name and identifier:
        raise ValidationException("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    if name:
        return name
    if not identifier:
        raise InvalidParameterException("Either logGroupName or logGroupIdentifier must be specified.")
    return group_name(caller, identifier)


def group_name(caller: Caller, identifier: str) -> str:
    """The name of a log group given by name or ARN. Other accounts and regions have none here."""
    if not identifier.startswith("arn:"):
        return identifier
    try:
        arn = Arn.parse(identifier)
    except ValueError:
        raise InvalidParameterException(f"The specified ARN is invalid: {identifier}") from None
    name = arn.resource.removeprefix(_GROUP).removesuffix(":*")
    if arn.service != "logs" or not arn.resource.startswith(_GROUP) or not name or ":" in name:
        raise InvalidParameterException(f"The specified ARN is not the ARN of a log group: {identifier}")
    if (arn.account_id, arn.region) != (caller.account_id, caller.region):
        raise ResourceNotFoundException.group()
    return name
