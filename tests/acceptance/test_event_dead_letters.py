"""Queues behind rules and schedules: as their targets, and for what could not be delivered."""

import json
from collections.abc import Sequence
from typing import Any

from lambent_server import Lambent, eventually

ORDERS = json.dumps({"source": ["orders"]})
ORDER = {"Source": "orders", "DetailType": "Order placed", "Detail": '{"number": 1}'}
NOBODY = "arn:aws:lambda:us-east-1:{}:function:nobody"


class Queue:
    """A queue that some service may send to."""

    def __init__(
        self, lambent: Lambent, *, service: str = "events.amazonaws.com", fifo: bool = False
    ) -> None:
        self._sqs = lambent.client("sqs")
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        name = lambent.new_name("q") + (".fifo" if fifo else "")
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{lambent.account_id}:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": self.arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def messages(self) -> Sequence[dict[str, Any]]:
        received = self._sqs.receive_message(
            QueueUrl=self.url,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
        )
        return received.get("Messages", [])


def attributes_of(message: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def test_a_rule_sends_to_queues_and_to_a_group_of_a_fifo_queue(lambent: Lambent) -> None:
    events, bus = lambent.client("events"), lambent.new_name("bus")
    plain, fifo = Queue(lambent), Queue(lambent, fifo=True)
    events.create_event_bus(Name=bus)
    events.put_rule(Name="r", EventBusName=bus, EventPattern=ORDERS)
    targets = [
        {"Id": "plain", "Arn": plain.arn, "InputPath": "$.detail"},
        {"Id": "fifo", "Arn": fifo.arn, "SqsParameters": {"MessageGroupId": "g"}},
    ]
    events.put_targets(Rule="r", EventBusName=bus, Targets=targets)
    put = events.put_events(Entries=[{**ORDER, "EventBusName": bus}])
    (message,) = eventually(plain.messages)
    assert json.loads(message["Body"]) == {"number": 1}
    (message,) = eventually(fifo.messages)
    assert json.loads(message["Body"])["id"] == put["Entries"][0]["EventId"]
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_an_event_without_anybody_to_take_it_becomes_a_dead_letter(lambent: Lambent) -> None:
    events, letters, rule = lambent.client("events"), Queue(lambent), lambent.new_name("rule")
    arn = events.put_rule(Name=rule, EventPattern=ORDERS)["RuleArn"]
    nobody = NOBODY.format(lambent.account_id)
    target = {"Id": "t", "Arn": nobody, "InputPath": "$.detail", "DeadLetterConfig": {"Arn": letters.arn}}
    events.put_targets(Rule=rule, Targets=[target])
    put = events.put_events(Entries=[ORDER])
    (letter,) = eventually(letters.messages)
    assert json.loads(letter["Body"])["id"] == put["Entries"][0]["EventId"], "the event, not the input"
    attributes = attributes_of(letter)
    assert attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "RULE_ARN": arn,
        "TARGET_ARN": nobody,
        "ERROR_CODE": "NO_PERMISSIONS",
    } or attributes == {
        "RULE_ARN": arn,
        "TARGET_ARN": nobody,
        "ERROR_CODE": "NO_PERMISSIONS",
    }
    events.remove_targets(Rule=rule, Ids=["t"])


def test_a_template_that_an_event_makes_invalid_becomes_a_dead_letter(lambent: Lambent) -> None:
    events, queue, letters = lambent.client("events"), Queue(lambent), Queue(lambent)
    rule = lambent.new_name("rule")
    events.put_rule(Name=rule, EventPattern=ORDERS)
    template = {"InputPathsMap": {"detail": "$.detail"}, "InputTemplate": '{"was": "<detail>"}'}
    target = {"Id": "t", "Arn": queue.arn, "InputTransformer": template}
    events.put_targets(Rule=rule, Targets=[{**target, "DeadLetterConfig": {"Arn": letters.arn}}])
    put = events.put_events(Entries=[ORDER])
    (letter,) = eventually(letters.messages)
    assert attributes_of(letter)["ERROR_CODE"] == "INVALID_JSON"
    assert json.loads(letter["Body"])["id"] == put["Entries"][0]["EventId"]
    events.remove_targets(Rule=rule, Ids=["t"])


def test_an_event_has_another_id_on_the_bus_of_another_region(lambent: Lambent) -> None:
    events, there = lambent.client("events"), lambent.client("events", region="eu-central-1")
    rule, group = lambent.new_name("rule"), lambent.new_name("/events/g")
    name = lambent.new_name("bus")
    bus = there.create_event_bus(Name=name)["EventBusArn"]
    lambent.client("logs", region="eu-central-1").create_log_group(logGroupName=group)
    logs = f"arn:aws:logs:eu-central-1:{lambent.account_id}:log-group:{group}"
    there.put_rule(Name=rule, EventBusName=bus, EventPattern=ORDERS)
    there.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "logs", "Arn": logs}])
    policy = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "events:PutEvents",
    }
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "s", "Resource": bus, **policy}]}
    there.put_permission(EventBusName=name, Policy=json.dumps(document))
    events.put_rule(Name=rule, EventPattern=ORDERS)
    events.put_targets(Rule=rule, Targets=[{"Id": "bus", "Arn": bus}])
    put = events.put_events(Entries=[ORDER])
    found = lambent.client("logs", region="eu-central-1")
    (line,) = eventually(lambda: found.filter_log_events(logGroupName=group)["events"])
    event = json.loads(line["message"])
    assert event["id"] != put["Entries"][0]["EventId"]
    assert (event["region"], event["account"]) == ("us-east-1", lambent.account_id)
    events.remove_targets(Rule=rule, Ids=["bus"])


def test_a_schedule_sends_to_a_queue_and_its_failures_to_another(lambent: Lambent) -> None:
    scheduler, queue, letters = lambent.client("scheduler"), Queue(lambent), Queue(lambent)
    role = schedule_role(lambent, "sqs:SendMessage")
    sends = lambent.new_name("s")
    scheduler.create_schedule(
        Name=sends,
        ScheduleExpression="rate(1 day)",
        Target={"Arn": queue.arn, "RoleArn": role, "Input": "tell <aws.scheduler.scheduled-time>"},
        FlexibleTimeWindow={"Mode": "OFF"},
    )
    (message,) = eventually(queue.messages)
    assert message["Body"].startswith("tell 20") and message["Body"].endswith("Z")

    fails, nowhere = lambent.new_name("s"), queue.arn + "-nowhere"
    created = scheduler.create_schedule(
        Name=fails,
        ScheduleExpression="rate(1 day)",
        Target={
            "Arn": nowhere,
            "RoleArn": role,
            "Input": "hello",
            "DeadLetterConfig": {"Arn": letters.arn},
            "RetryPolicy": {"MaximumRetryAttempts": 0},
        },
        FlexibleTimeWindow={"Mode": "OFF"},
    )
    (letter,) = eventually(letters.messages)
    body = json.loads(letter["Body"])
    assert body["MessageBody"] == "hello" and body["QueueUrl"].endswith(nowhere.rpartition(":")[2])
    attributes = attributes_of(letter)
    assert attributes["SCHEDULE_ARN"] == created["ScheduleArn"]
    assert attributes["TARGET_ARN"] == nowhere
    assert attributes["RETRY_ATTEMPTS"] == "0"
    assert attributes["IS_PAYLOAD_TRUNCATED"] == "false"
    assert {"ERROR_CODE", "ERROR_MESSAGE", "EXECUTION_ID", "SCHEDULED_TIME"} <= attributes.keys()
    for name in (sends, fails):
        scheduler.delete_schedule(Name=name)


def schedule_role(lambent: Lambent, action: str) -> str:
    name = lambent.new_name("role")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    arn = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [trust]})
    may = {"Effect": "Allow", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    lambent.iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
    return arn
