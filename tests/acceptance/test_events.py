"""EventBridge as its users meet it: rules bring events to functions, kept through a kill of the server."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

TELL = "import json\ndef handler(event, context):\n    print('got ' + json.dumps(event))\n"
ORDERS = json.dumps({"source": ["orders"]})


def allow(lambent: Lambent, function: str, rule_arn: str) -> None:
    lambent.lambda_.add_permission(
        FunctionName=function,
        StatementId=lambent.new_name("s"),
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )


def function_arn(lambent: Lambent, name: str) -> str:
    return str(lambent.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def got(lambent: Lambent, function: str) -> list[Any]:
    lines = lambent.log_lines(f"/aws/lambda/{function}")
    return [json.loads(line.removeprefix("got ")) for line in lines if line.startswith("got ")]


def order(number: int, **members: Any) -> dict[str, Any]:
    return {
        "Source": "orders",
        "DetailType": "Order placed",
        "Detail": json.dumps({"number": number}),
        **members,
    }


def test_an_event_that_a_rule_matches_reaches_the_function(lambent: Lambent) -> None:
    events, function, rule = lambent.client("events"), lambent.python(TELL), lambent.new_name("rule")
    pattern = json.dumps({"source": ["orders"], "detail": {"number": [{"numeric": [">", 6]}]}})
    arn = events.put_rule(Name=rule, EventPattern=pattern)["RuleArn"]
    answer = events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": function_arn(lambent, function)}])
    assert (answer["FailedEntryCount"], answer["FailedEntries"]) == (0, [])
    allow(lambent, function, arn)
    put = events.put_events(Entries=[order(6), order(7, Resources=["arn:aws:x:::y"])])
    assert put["FailedEntryCount"] == 0
    (event,) = eventually(lambda: got(lambent, function))
    assert event == {
        "version": "0",
        "id": put["Entries"][1]["EventId"],
        "detail-type": "Order placed",
        "source": "orders",
        "account": lambent.account_id,
        "time": event["time"],
        "region": "us-east-1",
        "resources": ["arn:aws:x:::y"],
        "detail": {"number": 7},
    }


def test_a_function_that_does_not_allow_the_rule_is_not_invoked(lambent: Lambent) -> None:
    events, refused, allowed = lambent.client("events"), lambent.python(TELL), lambent.python(TELL)
    bus, rule = lambent.new_name("bus"), lambent.new_name("rule")
    events.create_event_bus(Name=bus)
    arn = events.put_rule(Name=rule, EventBusName=bus, EventPattern=ORDERS)["RuleArn"]
    targets = [{"Id": name, "Arn": function_arn(lambent, name)} for name in (refused, allowed)]
    events.put_targets(Rule=rule, EventBusName=bus, Targets=targets)
    allow(lambent, allowed, arn)
    allow(lambent, refused, arn + "-of-another")
    events.put_events(Entries=[order(1, EventBusName=bus)])
    eventually(lambda: got(lambent, allowed))
    assert "is given up: NO_PERMISSIONS: User: events.amazonaws.com is not authorized" in eventually(
        lambda: "\n".join(line for line in lambent.log.splitlines() if refused in line)
    )
    assert got(lambent, refused) == []


def test_accepted_events_survive_a_kill_of_the_server(new_server: NewServer) -> None:
    lambent = new_server()
    # No run is over before the kill: its log line could be lost with the server, though it has run.
    slow = TELL.replace("    print", "    __import__('time').sleep(2)\n    print")
    events, function = lambent.client("events"), lambent.python(slow)
    arn = events.put_rule(Name="r", EventPattern=ORDERS)["RuleArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "f", "Arn": function_arn(lambent, function)}])
    allow(lambent, function, arn)
    for first in range(0, 20, 10):
        entries = [order(number) for number in range(first, first + 10)]
        assert events.put_events(Entries=entries)["FailedEntryCount"] == 0
    lambent.kill()
    lambent.start_again()
    wanted = set(range(20))
    eventually(lambda: wanted <= {event["detail"]["number"] for event in got(lambent, function)}, seconds=30)


def test_an_event_goes_from_bus_to_bus_and_round_no_circle(lambent: Lambent) -> None:
    events, function = lambent.client("events"), lambent.python(TELL)
    one, other = lambent.new_name("bus"), lambent.new_name("bus")
    arns = {bus: events.create_event_bus(Name=bus)["EventBusArn"] for bus in (one, other)}
    for bus, target in ((one, arns[other]), (other, arns[one])):
        arn = events.put_rule(Name="on", EventBusName=bus, EventPattern=ORDERS)["RuleArn"]
        events.put_targets(Rule="on", EventBusName=bus, Targets=[{"Id": "bus", "Arn": target}])
        permit = {
            "Sid": "rules",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "events:PutEvents",
            "Resource": arns[other if bus == one else one],
            "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [permit]})
        events.put_permission(EventBusName=other if bus == one else one, Policy=policy)
    arn = events.put_rule(Name="tell", EventBusName=other, EventPattern=ORDERS)["RuleArn"]
    events.put_targets(
        Rule="tell", EventBusName=other, Targets=[{"Id": "f", "Arn": function_arn(lambent, function)}]
    )
    allow(lambent, function, arn)
    put = events.put_events(Entries=[order(5, EventBusName=arns[one])])
    (event,) = eventually(lambda: got(lambent, function))
    assert event["id"] == put["Entries"][0]["EventId"]
    eventually(lambda: "THIRD_ACCOUNT_HOP_DETECTED" in lambent.log)
    assert len(got(lambent, function)) == 1


def test_rules_write_to_a_log_group_with_a_transformed_input(lambent: Lambent) -> None:
    events, rule, group = lambent.client("events"), lambent.new_name("rule"), lambent.new_name("/events/g")
    lambent.logs.create_log_group(logGroupName=group)
    events.put_rule(Name=rule, EventPattern=ORDERS)
    arn = f"arn:aws:logs:us-east-1:{lambent.account_id}:log-group:{group}"
    transformer = {
        "InputPathsMap": {"at": "$.time", "t": "$.detail-type"},
        "InputTemplate": '{"timestamp": <at>, "message": "<t> by <aws.events.rule-name>"}',
    }
    events.put_targets(Rule=rule, Targets=[{"Id": "logs", "Arn": arn, "InputTransformer": transformer}])
    moment = int(time.time()) - 60
    events.put_events(Entries=[order(3, Time=moment)])
    (line,) = eventually(lambda: lambent.logs.filter_log_events(logGroupName=group)["events"])
    assert line["message"] == f"Order placed by {rule}"
    assert line["timestamp"] == moment * 1000
    transformer["InputTemplate"] = '"<at> <t>"'
    with pytest.raises(ClientError, match=r"Input for target logs is not a valid JSON text\."):
        events.put_targets(Rule=rule, Targets=[{"Id": "logs", "Arn": arn, "InputTransformer": transformer}])


def test_entries_are_refused_one_by_one_and_requests_as_a_whole(lambent: Lambent) -> None:
    events = lambent.client("events")
    put = events.put_events(
        Entries=[order(1), order(1, Source=""), order(1, Detail="[]"), order(1, Source="aws.s3")]
    )
    assert put["FailedEntryCount"] == 3
    assert [entry.get("ErrorCode") for entry in put["Entries"]] == [
        None,
        "InvalidArgument",
        "MalformedDetail",
        "NotAuthorizedForSourceException",
    ]
    assert put["Entries"][1]["ErrorMessage"] == (
        "Parameter Source is not valid. Reason: Source is a required argument."
    )
    with pytest.raises(ClientError, match=r"Total size of the entries in the request is over the limit\."):
        events.put_events(Entries=[order(1, Detail=json.dumps({"x": "y" * 1_048_576}))])
