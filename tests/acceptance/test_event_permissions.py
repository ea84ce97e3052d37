"""Who may use whose buses and schedules, and hand on which roles."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

MINE, THEIRS = "111111111111", "222222222222"
ORDER = {"Source": "orders", "DetailType": "t", "Detail": "{}"}
TELL = "import json\ndef handler(event, context):\n    print('got ' + json.dumps(event))\n"


def as_account(lambent: Lambent, service: str, account: str) -> Any:
    return lambent.client(service, aws_access_key_id=account, aws_secret_access_key="x")


def as_role(lambent: Lambent, service: str, *statements: dict[str, Any]) -> Any:
    """A client with a session of a role that may do this."""
    name = lambent.new_name("role")
    trust = {"Effect": "Allow", "Principal": {"AWS": lambent.account_id}, "Action": "sts:AssumeRole"}
    arn = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [trust]})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    lambent.iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
    session = lambent.sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return lambent.client(
        service,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def test_another_account_needs_the_buss_policy(new_server: NewServer) -> None:
    lambent = new_server("--dev")
    mine, theirs = (as_account(lambent, "events", account) for account in (MINE, THEIRS))
    bus = mine.create_event_bus(Name="b")["EventBusArn"]
    group = {"logGroupName": "/from/others"}
    as_account(lambent, "logs", MINE).create_log_group(**group)
    mine.put_rule(Name="r", EventBusName="b", EventPattern=json.dumps({"account": [THEIRS]}))
    target = f"arn:aws:logs:us-east-1:{MINE}:log-group:/from/others"
    mine.put_targets(Rule="r", EventBusName="b", Targets=[{"Id": "l", "Arn": target}])
    for attempt in (
        lambda: theirs.put_events(Entries=[{**ORDER, "EventBusName": bus}]),
        lambda: theirs.describe_event_bus(Name=bus),
        lambda: theirs.list_rules(EventBusName=bus),
        lambda: theirs.put_rule(Name="r", EventBusName=bus, EventPattern='{"a": ["b"]}'),
        lambda: theirs.remove_targets(Rule="r", EventBusName=bus, Ids=["l"]),
        lambda: theirs.tag_resource(ResourceARN=bus, Tags=[{"Key": "a", "Value": "b"}]),
    ):
        with pytest.raises(ClientError, match="is not authorized to perform: events:"):
            attempt()
    with pytest.raises(ClientError, match="The event bus is of another account or region"):
        theirs.create_archive(ArchiveName="a", EventSourceArn=bus)
    mine.put_permission(EventBusName="b", Action="events:PutEvents", Principal=THEIRS, StatementId="s")
    theirs.put_events(Entries=[{**ORDER, "EventBusName": bus}])
    logs = as_account(lambent, "logs", MINE)
    eventually(lambda: logs.filter_log_events(**group)["events"])
    group_arn = as_account(lambent, "scheduler", MINE).create_schedule_group(Name="g")["ScheduleGroupArn"]
    with pytest.raises(ClientError, match="Schedule group g does not exist"):
        as_account(lambent, "scheduler", THEIRS).list_tags_for_resource(ResourceArn=group_arn)


def test_only_roles_that_one_may_pass_on_can_be_given(lambent: Lambent) -> None:
    powerful = lambent.make_role(lambent.new_name("powerful"), trusting("scheduler", "events"))
    scheduler = as_role(lambent, "scheduler", allow("scheduler:*"))
    schedule = {
        "Name": lambent.new_name("s"),
        "ScheduleExpression": "rate(1 day)",
        "State": "DISABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:lambda:us-east-1:1:function:f", "RoleArn": powerful},
    }
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        scheduler.create_schedule(**schedule)
    events, rule = as_role(lambent, "events", allow("events:*")), lambent.new_name("rule")
    events.put_rule(Name=rule, EventPattern='{"source": ["x"]}')
    target = {"Id": "t", "Arn": "arn:aws:sqs:us-east-1:1:q", "RoleArn": powerful}
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        events.put_targets(Rule=rule, Targets=[target])
    may_pass = {
        **allow("iam:PassRole"),
        "Resource": powerful,
        "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
    }
    as_role(lambent, "scheduler", allow("scheduler:*"), may_pass).create_schedule(**schedule)
    both = as_role(lambent, "events", allow("events:*"), may_pass)
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        both.put_targets(Rule=rule, Targets=[target])


def test_a_role_puts_the_events_that_its_policy_names(lambent: Lambent) -> None:
    statement = {**allow("events:PutEvents"), "Condition": {"StringEquals": {"events:source": "orders"}}}
    events = as_role(lambent, "events", statement)
    assert events.put_events(Entries=[ORDER])["FailedEntryCount"] == 0
    with pytest.raises(ClientError, match="not authorized to perform: events:PutEvents"):
        events.put_events(Entries=[{**ORDER, "Source": "others"}])


def test_a_trace_header_goes_with_the_event(lambent: Lambent) -> None:
    events, rule = lambent.client("events"), lambent.new_name("rule")
    function = lambent.python(
        TELL.replace("json.dumps(event)", "__import__('os').environ['_X_AMZN_TRACE_ID']")
    )
    arn = events.put_rule(Name=rule, EventPattern='{"source": ["traced"]}')["RuleArn"]
    target = lambent.lambda_.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": target}])
    lambent.lambda_.add_permission(
        FunctionName=function,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=arn,
    )
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    events.put_events(Entries=[{**ORDER, "Source": "traced", "TraceHeader": trace}])
    lines = eventually(
        lambda: [line for line in lambent.log_lines(f"/aws/lambda/{function}") if line.startswith("got ")]
    )
    assert "Root=1-5759e988-bd862e3fe1be46a994272793" in lines[0]

    def traced(request: AWSRequest, **named: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = "Root=1-67f3c0de-000000000000000000000001;Lineage=a87bd80c:2"

    events.meta.events.register("before-sign.events.PutEvents", traced)
    events.put_events(Entries=[{**ORDER, "Source": "traced"}])
    found = eventually(
        lambda: [line for line in lambent.log_lines(f"/aws/lambda/{function}") if "67f3c0de" in line]
    )
    assert "a87bd80c" not in found[0], "functions' loops are not followed through EventBridge"


def allow(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}


def trusting(*services: str) -> dict[str, Any]:
    principal = {"Service": [f"{service}.amazonaws.com" for service in services]}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
