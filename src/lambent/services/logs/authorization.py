"""The ARN that each operation acts on, as AWS names it when it denies one.

The ':log-stream:' behind a group's name is what lets a policy for 'log-group:NAME:*' cover what is done to it.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
"""

from lambent.model.caller import Caller, Parameters
from lambent.services.logs.arns import group_arn, group_name, stream_arn
from lambent.services.logs.insights.selection import requested_groups

_ALL_GROUPS = frozenset({"DescribeLogGroups", "ListLogGroups"})
_BY_RESOURCE_ARN = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})
_OF_NO_GROUP = frozenset(
    {
        *("GetQueryResults", "StopQuery", "DescribeQueries", "GetLogRecord"),
        *("PutQueryDefinition", "DescribeQueryDefinitions", "DeleteQueryDefinition"),
    }
)
_OF_SEVERAL_GROUPS = frozenset({"StartLiveTail", "StartQuery"})
_OF_ONE_STREAM = frozenset({"CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents"})


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    if operation in _BY_RESOURCE_ARN:
        return group_arn(caller, group_name(caller, parameters["resourceArn"]))
    if operation in _ALL_GROUPS:
        return stream_arn(caller, "", "")
    if operation in _OF_SEVERAL_GROUPS:
        return _of_several(operation, caller, parameters)
    identifier = parameters.get("logGroupName") or parameters.get("logGroupIdentifier")
    if identifier is None or operation in _OF_NO_GROUP:  # TestMetricFilter, or a request that will be refused
        return "*"
    group = group_name(caller, identifier)
    return stream_arn(caller, group, parameters["logStreamName"] if operation in _OF_ONE_STREAM else "")


def _of_several(operation: str, caller: Caller, parameters: Parameters) -> tuple[str, ...]:
    if operation == "StartQuery":
        return tuple(stream_arn(caller, group, "") for group in requested_groups(caller, parameters))
    groups = dict.fromkeys(group_name(caller, one) for one in parameters["logGroupIdentifiers"])
    return tuple(group_arn(caller, group) for group in groups)
