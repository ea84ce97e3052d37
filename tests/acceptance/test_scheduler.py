"""EventBridge Scheduler as its users meet it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

TELL = "import json\ndef handler(event, context):\n    print('got ' + json.dumps(event))\n"
OFF = {"Mode": "OFF"}


def role_for(lambent: Lambent, *actions: str) -> str:
    """A role that Scheduler may assume, and that may do this to everything."""
    name = lambent.new_name("role")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    arn = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [statement]})
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    lambent.iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=json.dumps(policy))
    return arn


def function_arn(lambent: Lambent, name: str) -> str:
    return str(lambent.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def got(lambent: Lambent, function: str) -> list[Any]:
    lines = lambent.log_lines(f"/aws/lambda/{function}")
    return [json.loads(line.removeprefix("got ")) for line in lines if line.startswith("got ")]


def test_a_rate_invokes_its_function_at_once_and_goes_on(lambent: Lambent) -> None:
    scheduler, function, name = lambent.client("scheduler"), lambent.python(TELL), lambent.new_name("s")
    target = {
        "Arn": function_arn(lambent, function),
        "RoleArn": role_for(lambent, "lambda:InvokeFunction"),
        "Input": json.dumps(
            {"from": "<aws.scheduler.schedule-arn>", "try": "<aws.scheduler.attempt-number>"}
        ),
    }
    created = scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 minute)", Target=target, FlexibleTimeWindow=OFF
    )
    (event,) = eventually(lambda: got(lambent, function))
    assert event == {"from": created["ScheduleArn"], "try": "1"}
    found = scheduler.get_schedule(Name=name)
    assert found["Target"] == {
        **target,
        "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
    }
    assert (found["State"], found["ActionAfterCompletion"]) == ("ENABLED", "NONE")
    assert (found["ScheduleExpressionTimezone"], found["GroupName"]) == ("UTC", "default")
    scheduler.delete_schedule(Name=name)


def test_a_time_that_passed_while_the_server_was_down_is_made_up_for(new_server: NewServer) -> None:
    lambent = new_server()
    scheduler, function = lambent.client("scheduler"), lambent.python(TELL)
    target = {"Arn": function_arn(lambent, function), "RoleArn": role_for(lambent, "lambda:InvokeFunction")}
    time = datetime.now(UTC) + timedelta(seconds=2)
    scheduler.create_schedule(
        Name="once",
        ScheduleExpression=f"at({time:%Y-%m-%dT%H:%M:%S})",
        Target=target,
        FlexibleTimeWindow=OFF,
        ActionAfterCompletion="DELETE",
    )
    lambent.kill()
    eventually(lambda: datetime.now(UTC) > time)
    lambent.start_again()
    (event,) = eventually(lambda: got(lambent, function))
    assert event["detail-type"] == "Scheduled Event"
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")
    assert event["time"] == f"{time:%Y-%m-%dT%H:%M:%SZ}"
    with pytest.raises(ClientError, match="Schedule once does not exist"):
        lambent.client("scheduler").get_schedule(Name="once")


def test_a_universal_target_calls_any_operation_that_is_offered(lambent: Lambent) -> None:
    scheduler, group = lambent.client("scheduler"), lambent.new_name("/made/by/schedule")
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:cloudwatchlogs:createLogGroup",
        "RoleArn": role_for(lambent, "logs:CreateLogGroup"),
        "Input": json.dumps({"LogGroupName": group}),
    }
    scheduler.create_schedule(
        Name=lambent.new_name("s"),
        ScheduleExpression="rate(30 days)",
        Target=target,
        FlexibleTimeWindow=OFF,
    )
    eventually(lambda: lambent.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"])


def test_a_schedule_puts_events_for_rules(lambent: Lambent) -> None:
    scheduler, events, group = lambent.client("scheduler"), lambent.client("events"), lambent.new_name("/g")
    lambent.logs.create_log_group(logGroupName=group)
    bus = events.create_event_bus(Name=lambent.new_name("bus"))["EventBusArn"]
    pattern = json.dumps({"source": ["nightly"], "detail-type": ["Report"]})
    events.put_rule(Name="report", EventBusName=bus, EventPattern=pattern)
    arn = f"arn:aws:logs:us-east-1:{lambent.account_id}:log-group:{group}"
    events.put_targets(
        Rule="report", EventBusName=bus, Targets=[{"Id": "l", "Arn": arn, "InputPath": "$.detail"}]
    )
    target = {
        "Arn": bus,
        "RoleArn": role_for(lambent, "events:PutEvents"),
        "EventBridgeParameters": {"Source": "nightly", "DetailType": "Report"},
        "Input": '{"day": 1}',
    }
    scheduler.create_schedule(
        Name=lambent.new_name("s"), ScheduleExpression="rate(1 day)", Target=target, FlexibleTimeWindow=OFF
    )
    assert eventually(lambda: lambent.log_lines(group)) == ['{"day":1}']


def test_groups_go_with_their_schedules(lambent: Lambent) -> None:
    scheduler, group = lambent.client("scheduler"), lambent.new_name("group")
    arn = scheduler.create_schedule_group(Name=group, Tags=[{"Key": "a", "Value": "b"}])["ScheduleGroupArn"]
    target = {
        "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "RoleArn": role_for(lambent, "s3:Get*"),
    }
    for name in ("one", "two"):
        scheduler.create_schedule(
            Name=name,
            GroupName=group,
            ScheduleExpression="cron(0 3 ? * MON-FRI *)",
            ScheduleExpressionTimezone="Europe/Berlin",
            Target=target,
            FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        )
    page = scheduler.list_schedules(GroupName=group, MaxResults=1)
    assert [each["Name"] for each in page["Schedules"]] == ["one"]
    page = scheduler.list_schedules(GroupName=group, NextToken=page["NextToken"])
    assert [each["Name"] for each in page["Schedules"]] == ["two"]
    assert page["Schedules"][0]["Target"] == {"Arn": target["Arn"]}
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    scheduler.delete_schedule_group(Name=group)
    with pytest.raises(ClientError, match=f"Schedule group {group} does not exist"):
        scheduler.list_schedules(GroupName=group)


def test_what_is_refused_is_refused_in_awss_words(lambent: Lambent) -> None:
    scheduler = lambent.client("scheduler")
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    good = {
        "Name": lambent.new_name("s"),
        "ScheduleExpression": "rate(5 minutes)",
        "Target": {"Arn": function, "RoleArn": role_for(lambent, "s3:Get*")},
        "FlexibleTimeWindow": OFF,
    }
    untrusting = {"Arn": function, "RoleArn": lambent.role}
    for bad, message in (
        ({"ScheduleExpression": "rate(10 years)"}, "Invalid Schedule Expression rate\\(10 years\\)\\."),
        ({"Target": untrusting}, "The execution role you provide must allow AWS EventBridge Scheduler to"),
        ({"GroupName": "nowhere"}, "Schedule group nowhere does not exist\\."),
        ({"StartDate": datetime(2020, 1, 1, tzinfo=UTC)}, "cannot be earlier than 5 minutes ago"),
    ):
        with pytest.raises(ClientError, match=message):
            scheduler.create_schedule(**(good | bad))
    scheduler.create_schedule(**good, ClientToken="once")
    assert scheduler.create_schedule(**good, ClientToken="once")["ScheduleArn"].endswith(good["Name"])
    with pytest.raises(ClientError, match=f"Schedule {good['Name']} already exists"):
        scheduler.create_schedule(**good)
    scheduler.delete_schedule(Name=good["Name"])
