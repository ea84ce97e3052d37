"""Buses, rules and targets: what is answered, and what is refused in which words."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent

PATTERN = json.dumps({"source": ["orders"]})


@pytest.fixture
def events(lambent: Lambent) -> Any:
    return lambent.client("events")


@pytest.fixture
def bus(lambent: Lambent, events: Any) -> str:
    name = lambent.new_name("bus")
    events.create_event_bus(Name=name)
    return name


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_bus_is_made_described_listed_and_deleted(lambent: Lambent, events: Any) -> None:
    name = lambent.new_name("bus")
    arn = f"arn:aws:events:us-east-1:{lambent.account_id}:event-bus/{name}"
    assert without_metadata(events.create_event_bus(Name=name)) == {"EventBusArn": arn}
    described = without_metadata(events.describe_event_bus(Name=arn))
    assert described.keys() == {"Name", "Arn", "CreationTime", "LastModifiedTime"}
    assert events.list_event_buses(NamePrefix=name)["EventBuses"] == [described]
    with pytest.raises(
        events.exceptions.ResourceAlreadyExistsException, match=f"Event bus {name} already exists"
    ):
        events.create_event_bus(Name=name)
    events.delete_event_bus(Name=name)
    events.delete_event_bus(Name=name)
    with pytest.raises(events.exceptions.ResourceNotFoundException, match=f"Event bus {name} does not exist"):
        events.describe_event_bus(Name=name)
    with pytest.raises(ClientError, match=r"Cannot delete event bus default\."):
        events.delete_event_bus(Name="default")


def test_a_rule_is_put_described_and_replaced(lambent: Lambent, events: Any, bus: str) -> None:
    arn = f"arn:aws:events:us-east-1:{lambent.account_id}:rule/{bus}/r"
    put = events.put_rule(
        Name="r",
        EventBusName=bus,
        EventPattern=PATTERN,
        Description="d",
        State="DISABLED",
        Tags=[{"Key": "k", "Value": "v"}],
    )
    assert put["RuleArn"] == arn
    described = without_metadata(events.describe_rule(Name="r", EventBusName=bus))
    listed = {
        "Name": "r",
        "Arn": arn,
        "EventPattern": PATTERN,
        "State": "DISABLED",
        "Description": "d",
        "EventBusName": bus,
    }
    assert described == {**listed, "CreatedBy": lambent.account_id}
    assert events.list_rules(EventBusName=bus)["Rules"] == [listed]
    events.enable_rule(Name="r", EventBusName=bus)
    assert events.describe_rule(Name="r", EventBusName=bus)["State"] == "ENABLED"
    events.put_rule(Name="r", EventBusName=bus, EventPattern=PATTERN)
    assert "Description" not in events.describe_rule(Name="r", EventBusName=bus)
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    events.untag_resource(ResourceARN=arn, TagKeys=["k"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    with pytest.raises(ClientError, match=f"Event bus {bus} can't be deleted since it has rules"):
        events.delete_event_bus(Name=bus)
    events.delete_rule(Name="r", EventBusName=bus)
    events.delete_rule(Name="r", EventBusName=bus)
    assert events.list_rules(EventBusName=bus)["Rules"] == []
    with pytest.raises(ClientError, match=f"Rule r does not exist on EventBus {bus}"):
        events.list_tags_for_resource(ResourceARN=arn)


def test_rules_come_page_by_page(events: Any, bus: str) -> None:
    for number in range(6):
        events.put_rule(Name=f"r-{number}", EventBusName=bus, EventPattern=PATTERN)
    page = events.list_rules(EventBusName=bus, Limit=4)
    rest = events.list_rules(EventBusName=bus, Limit=4, NextToken=page["NextToken"])
    names = [rule["Name"] for rule in page["Rules"] + rest["Rules"]]
    assert names == [f"r-{number}" for number in range(6)]
    assert "NextToken" not in rest


def test_targets_are_put_listed_and_removed(lambent: Lambent, events: Any, bus: str) -> None:
    events.put_rule(Name="r", EventBusName=bus, EventPattern=PATTERN)
    function = f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{bus}"
    targets = [{"Id": f"t{number}", "Arn": function} for number in range(5)]
    put = without_metadata(events.put_targets(Rule="r", EventBusName=bus, Targets=targets))
    assert put == {"FailedEntryCount": 0, "FailedEntries": []}
    assert events.list_targets_by_rule(Rule="r", EventBusName=bus)["Targets"] == targets
    with pytest.raises(
        events.exceptions.LimitExceededException,
        match=r"The requested resource exceeds the maximum number allowed\.",
    ):
        events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "t5", "Arn": function}])
    assert events.list_rule_names_by_target(TargetArn=function, EventBusName=bus)["RuleNames"] == ["r"]
    with pytest.raises(ClientError, match=r"Rule can't be deleted since it has targets\."):
        events.delete_rule(Name="r", EventBusName=bus)
    ids = [target["Id"] for target in targets]
    removed = without_metadata(events.remove_targets(Rule="r", EventBusName=bus, Ids=ids))
    assert removed == {"FailedEntryCount": 0, "FailedEntries": []}
    assert events.list_targets_by_rule(Rule="r", EventBusName=bus)["Targets"] == []


def test_permissions_are_statements_of_the_buss_policy(lambent: Lambent, events: Any, bus: str) -> None:
    arn = f"arn:aws:events:us-east-1:{lambent.account_id}:event-bus/{bus}"
    for sid, principal in (("one", "111122223333"), ("all", "*")):
        events.put_permission(
            EventBusName=bus, Action="events:PutEvents", Principal=principal, StatementId=sid
        )
    common = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": arn}
    assert json.loads(events.describe_event_bus(Name=bus)["Policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "one", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, **common},
            {"Sid": "all", "Principal": "*", **common},
        ],
    }
    events.remove_permission(EventBusName=bus, StatementId="all")
    assert len(json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"]) == 1
    with pytest.raises(ClientError, match=r"Statement with the provided id does not exist\."):
        events.remove_permission(EventBusName=bus, StatementId="all")
    events.remove_permission(EventBusName=bus, RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus(Name=bus)


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("describe_rule", {"Name": "x"}, "Rule x does not exist on EventBus default."),
        ("enable_rule", {"Name": "x"}, "Rule x does not exist on EventBus default."),
        ("list_rules", {"EventBusName": "nowhere"}, "Event bus nowhere does not exist."),
        ("delete_rule", {"Name": "x", "EventBusName": "nowhere"}, "Event bus nowhere does not exist."),
        ("put_rule", {"Name": "x"}, "Parameter(s) EventPattern or ScheduleExpression must be specified."),
        ("put_rule", {"Name": "x", "EventPattern": '{"a": 1}'}, '"a" must be an object or an array'),
        (
            "put_rule",
            {"Name": "x", "ScheduleExpression": "rate(1 minutes)"},
            "Parameter ScheduleExpression is not valid.",
        ),
        (
            "put_rule",
            {"Name": "x", "ScheduleExpression": "at(2030-01-01T00:00:00)"},
            "Parameter ScheduleExpression is not valid.",
        ),
        ("create_event_bus", {"Name": "a/b"}, "Event bus name must not contain '/'."),
        ("test_event_pattern", {"EventPattern": "{", "Event": "{}"}, "Event pattern is not valid. Reason:"),
        ("cancel_replay", {"ReplayName": "x"}, "Replay x does not exist."),
    ],
)
def test_refusals(events: Any, operation: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(events, operation)(**parameters)
    assert message in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Arn": "no arn"}, "Provided Arn is not in correct format."),
        ({"Arn": "arn:aws:ecs:us-east-1:1:cluster/c"}, "Lambent does not offer targets like arn:aws:ecs"),
        (
            {"Arn": "arn:aws:sqs:us-east-1:1:q.fifo"},
            "Parameter(s) SqsParameters must be specified for target: t.",
        ),
        (
            {"Arn": "arn:aws:sqs:us-east-1:1:q", "Input": "{}", "InputPath": "$"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        (
            {"Arn": "arn:aws:sqs:us-east-1:1:q", "InputTransformer": {"InputTemplate": '"<x>"'}},
            "InputTemplate for target t contains invalid placeholder x.",
        ),
    ],
)
def test_refusals_of_targets(events: Any, bus: str, target: dict[str, Any], message: str) -> None:
    events.put_rule(Name="r", EventBusName=bus, EventPattern=PATTERN)
    with pytest.raises(ClientError) as refused:
        events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "t", **target}])
    assert message in refused.value.response["Error"]["Message"]
    assert events.list_targets_by_rule(Rule="r", EventBusName=bus)["Targets"] == []


def test_schedules_are_of_the_default_bus_only(events: Any, bus: str) -> None:
    with pytest.raises(ClientError, match=r"ScheduleExpression is supported only on the default event bus\."):
        events.put_rule(Name="r", EventBusName=bus, ScheduleExpression="rate(1 minute)")


def test_a_pattern_is_tested_against_an_event(events: Any) -> None:
    event = {"id": "1", "source": "orders", "account": "1", "time": "t", "region": "r", "resources": []}
    event["detail-type"] = "x"
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is True
    event["source"] = "others"
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is False
