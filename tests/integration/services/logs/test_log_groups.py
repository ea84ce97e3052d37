"""Log groups, their retention and tags, as boto3 sees them."""

from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.services.logs.retention import ALLOWED_DAYS

ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:"


def test_a_group_is_described_as_it_was_made(logs: Any, clock: ManualClock) -> None:
    logs.create_log_group(logGroupName="/aws/lambda/one", tags={"team": "blue"})
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group == {
        "logGroupName": "/aws/lambda/one",
        "creationTime": int(clock.now() * 1000),
        "metricFilterCount": 0,
        "arn": ARN + "/aws/lambda/one:*",
        "logGroupArn": ARN + "/aws/lambda/one",
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "deletionProtectionEnabled": False,
    }
    assert logs.list_tags_for_resource(resourceArn=ARN + "/aws/lambda/one")["tags"] == {"team": "blue"}


def test_a_name_is_taken_once_and_free_after_deletion(logs: Any) -> None:
    logs.create_log_group(logGroupName="one")
    with pytest.raises(
        logs.exceptions.ResourceAlreadyExistsException, match="The specified log group already exists"
    ):
        logs.create_log_group(logGroupName="one")
    logs.delete_log_group(logGroupName="one")
    logs.create_log_group(logGroupName="one")


def test_what_is_not_there_is_not_found(logs: Any) -> None:
    for call in (
        lambda: logs.delete_log_group(logGroupName="no"),
        lambda: logs.put_retention_policy(logGroupName="no", retentionInDays=1),
        lambda: logs.delete_retention_policy(logGroupName="no"),
        lambda: logs.create_log_stream(logGroupName="no", logStreamName="s"),
        lambda: logs.delete_log_stream(logGroupName="no", logStreamName="s"),
        lambda: logs.describe_log_streams(logGroupName="no"),
        lambda: logs.get_log_events(logGroupName="no", logStreamName="s"),
        lambda: logs.filter_log_events(logGroupName="no"),
        lambda: logs.tag_resource(resourceArn=ARN + "no", tags={"a": "b"}),
        lambda: logs.untag_log_group(logGroupName="no", tags=["a"]),
        lambda: logs.list_tags_log_group(logGroupName="no"),
        lambda: logs.start_live_tail(logGroupIdentifiers=[ARN + "no"]),
        lambda: logs.describe_log_streams(logGroupIdentifier=ARN.replace("eu-west-1", "us-east-1") + "no"),
    ):
        with pytest.raises(
            logs.exceptions.ResourceNotFoundException, match="The specified log group does not exist"
        ):
            call()
    with pytest.raises(
        logs.exceptions.InvalidParameterException, match="detected: Value at 'logGroupIdentifier' failed"
    ):
        logs.describe_log_streams(logGroupIdentifier=f"{ARN}no:*")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"logGroupName": "aws/x"}, "can't start with the string aws/"),
        ({"logGroupName": "x", "kmsKeyId": "arn:aws:kms:eu-west-1:1:key/a"}, "kmsKeyId"),
        ({"logGroupName": "x", "logGroupClass": "DELIVERY"}, "DELIVERY"),
        ({"logGroupName": "x", "deletionProtectionEnabled": True}, "deletion protection"),
        ({"logGroupName": "no spaces"}, "logGroupName"),
    ],
)
def test_what_cannot_be_kept_is_refused(logs: Any, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(logs.exceptions.InvalidParameterException, match=said):
        logs.create_log_group(**parameters)
    assert logs.describe_log_groups()["logGroups"] == []


def test_groups_come_in_pages_by_name(logs: Any) -> None:
    names = [f"/app/{number:02}" for number in range(7)]
    for name in reversed(names):
        logs.create_log_group(logGroupName=name)
    logs.create_log_group(logGroupName="other")
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix="/app/", PaginationConfig={"PageSize": 3}
    )
    assert [[group["logGroupName"] for group in page["logGroups"]] for page in pages] == [
        names[:3],
        names[3:6],
        names[6:],
    ]
    found = logs.describe_log_groups(logGroupNamePattern="pp/0")["logGroups"]
    assert [group["logGroupName"] for group in found] == names
    found = logs.describe_log_groups(logGroupIdentifiers=[ARN + "other", "/app/03", "gone"])["logGroups"]
    assert [group["logGroupName"] for group in found] == ["/app/03", "other"]
    assert logs.describe_log_groups(logGroupClass="INFREQUENT_ACCESS")["logGroups"] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"},
        {"includeLinkedAccounts": True},
        {"nextToken": "nonsense"},
        {"nextToken": "MTIz"},
        {"logGroupIdentifiers": ["a"], "limit": 2},
        {"logGroupIdentifiers": ["arn:aws:logs:eu-west-1:1"]},
        {"logGroupIdentifiers": ["arn:aws:sqs:eu-west-1:123456789012:q"]},
    ],
)
def test_describing_refuses(logs: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.describe_log_groups(**parameters)


def test_groups_are_listed_by_name_pattern_and_tags(logs: Any) -> None:
    logs.create_log_group(logGroupName="/aws/lambda/a", tags={"stage": "prod-1"})
    logs.create_log_group(logGroupName="/aws/lambda/b", tags={"stage": "dev"})
    logs.create_log_group(logGroupName="my/aws/c")

    def listed(**parameters: Any) -> list[str]:
        names: list[str] = []
        while True:
            page = logs.list_log_groups(limit=1, **parameters)
            names.extend(group["logGroupName"] for group in page["logGroups"])
            if "nextToken" not in page:
                return names
            parameters["nextToken"] = page["nextToken"]

    assert listed() == ["/aws/lambda/a", "/aws/lambda/b", "my/aws/c"]
    assert listed(logGroupNamePattern="^/aws") == ["/aws/lambda/a", "/aws/lambda/b"]
    assert listed(logGroupNamePattern="mbda/a|^my/") == ["/aws/lambda/a", "my/aws/c"]
    assert listed(logGroupTags=[{"key": "stage", "values": ["PROD*"]}]) == ["/aws/lambda/a"]
    assert listed(logGroupTags=[{"key": "stage", "values": ["!prod-1"]}]) == ["/aws/lambda/b"]
    assert listed(logGroupTags=[{"key": "stage"}]) == ["/aws/lambda/a", "/aws/lambda/b"]
    with pytest.raises(logs.exceptions.InvalidParameterException, match="fieldIndexNames"):
        logs.list_log_groups(fieldIndexNames=["a"])


def test_retention_is_set_and_removed(logs: Any) -> None:
    logs.create_log_group(logGroupName="one")
    for days in sorted(ALLOWED_DAYS):
        logs.put_retention_policy(logGroupName="one", retentionInDays=days)
        assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == days
    with pytest.raises(logs.exceptions.InvalidParameterException, match="retentionInDays"):
        logs.put_retention_policy(logGroupName="one", retentionInDays=2)
    logs.delete_retention_policy(logGroupName="one")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_tags_are_the_same_by_arn_and_by_name(logs: Any) -> None:
    logs.create_log_group(logGroupName="one")
    logs.tag_resource(resourceArn=ARN + "one", tags={"a": "1", "b": "2"})
    logs.tag_log_group(logGroupName="one", tags={"b": "3", "c": "4"})
    assert logs.list_tags_log_group(logGroupName="one")["tags"] == {"a": "1", "b": "3", "c": "4"}
    logs.untag_resource(resourceArn=ARN + "one", tagKeys=["a", "never"])
    logs.untag_log_group(logGroupName="one", tags=["b"])
    assert logs.list_tags_for_resource(resourceArn=ARN + "one")["tags"] == {"c": "4"}


def test_tags_are_limited(logs: Any) -> None:
    logs.create_log_group(logGroupName="one", tags={f"k{number}": "v" for number in range(50)})
    with pytest.raises(logs.exceptions.TooManyTagsException):
        logs.tag_resource(resourceArn=ARN + "one", tags={"new": "v"})
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.tag_log_group(logGroupName="one", tags={"new": "v"})
    with pytest.raises(logs.exceptions.InvalidParameterException, match="reserved"):
        logs.tag_resource(resourceArn=ARN + "one", tags={"aws:x": "v"})
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.list_tags_for_resource(resourceArn="one")
    logs.tag_resource(resourceArn=ARN + "one", tags={"k1": "changed"})
