"""Queues that functions work off: event source mappings, as boto3 makes them and as functions see them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import REGION, Lambent, eventually

NewServer = Callable[..., Lambent]

TELL = """
import json
def handler(event, context):
    print("saw", json.dumps([record["body"] for record in event["Records"]]))
"""
POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"


@dataclass(frozen=True)
class Queue:
    sqs: Any
    url: str
    arn: str

    def send(self, *bodies: str, **parameters: Any) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **parameters)

    def depth(self) -> int:
        """Messages that are in it, hidden or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


def new_queue(lambent: Lambent, *, fifo: bool = False, **attributes: str) -> Queue:
    sqs = lambent.client("sqs")
    if fifo:
        attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    name = lambent.new_name("q") + (".fifo" if fifo else "")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "10", **attributes})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Queue(sqs, url, arn)


def role(lambent: Lambent) -> str:
    arn = lambent.make_role("reads-queues")
    lambent.iam.attach_role_policy(RoleName="reads-queues", PolicyArn=POLICY)
    return arn


def function(lambent: Lambent, source: str = TELL, **settings: Any) -> str:
    return lambent.python(source, Role=role(lambent), **settings)


def map_queue(lambent: Lambent, name: str, queue: Queue, **parameters: Any) -> str:
    """Returns the mapping's UUID when it is enabled."""
    created = lambent.lambda_.create_event_source_mapping(
        FunctionName=name, EventSourceArn=queue.arn, **parameters
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 202 and created["State"] == "Creating"
    wait_state(lambent, created["UUID"], "Enabled")
    return str(created["UUID"])


def wait_state(lambent: Lambent, uuid: str, state: str) -> None:
    eventually(lambda: lambent.lambda_.get_event_source_mapping(UUID=uuid)["State"] == state)


def saw(lambent: Lambent, name: str) -> list[list[str]]:
    """The bodies of each invocation, in the order of the log."""
    lines = lambent.log_lines(f"/aws/lambda/{name}")
    return [json.loads(line[4:]) for line in lines if line.startswith("saw ")]


def seen(lambent: Lambent, name: str) -> list[str]:
    return [body for bodies in saw(lambent, name) for body in bodies]


def test_records_are_as_aws_has_them(lambent: Lambent) -> None:
    name = function(lambent, "import json\ndef handler(event, context): print('event', json.dumps(event))\n")
    queue = new_queue(lambent)
    sent = queue.sqs.send_message(
        QueueUrl=queue.url,
        MessageBody="hällo",
        MessageAttributes={
            "Kind": {"DataType": "String", "StringValue": "greeting"},
            "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
        MessageSystemAttributes={
            "AWSTraceHeader": {
                "DataType": "String",
                "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            }
        },
    )
    map_queue(lambent, name, queue)  # which looks whether the role may receive, and receives nothing by that
    group = f"/aws/lambda/{name}"
    [line] = eventually(lambda: [line for line in lambent.log_lines(group) if line.startswith("event ")])
    [record] = json.loads(line[6:])["Records"]
    attributes = record.pop("attributes")
    assert record.pop("receiptHandle")
    assert record == {
        "messageId": sent["MessageId"],
        "body": "hällo",
        "messageAttributes": {
            "Kind": {
                "stringValue": "greeting",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            },
            "Raw": {
                "binaryValue": "AAE=",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Binary",
            },
        },
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "md5OfBody": sent["MD5OfMessageBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    }
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes["AWSTraceHeader"].startswith("Root=1-5759e988-bd862e3fe1be46a994272793")
    assert {"SenderId", "SentTimestamp", "ApproximateFirstReceiveTimestamp"} <= attributes.keys()
    eventually(lambda: queue.depth() == 0)


def test_a_batch_that_fails_comes_again_until_it_is_a_dead_letter(lambent: Lambent) -> None:
    dead = new_queue(lambent)
    redrive = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
    queue = new_queue(lambent, VisibilityTimeout="1", RedrivePolicy=redrive)
    name = function(lambent, TELL + "    raise ValueError('no')\n", Timeout=1)
    map_queue(lambent, name, queue)
    queue.send("a")
    assert eventually(lambda: dead.sqs.receive_message(QueueUrl=dead.url).get("Messages"))[0]["Body"] == "a"
    assert seen(lambent, name) == ["a", "a"]
    assert queue.depth() == 0


PARTIAL = """
import json
tried = set()
def handler(event, context):
    print("saw", json.dumps([record["body"] for record in event["Records"]]))
    failed = [r["messageId"] for r in event["Records"] if r["body"] == "bad" and r["messageId"] not in tried]
    tried.update(failed)
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
"""


def test_only_what_the_function_reports_comes_again(lambent: Lambent) -> None:
    queue = new_queue(lambent, VisibilityTimeout="1")
    name = function(lambent, PARTIAL, Timeout=1)
    queue.send("good", "bad", "fine")
    map_queue(lambent, name, queue, FunctionResponseTypes=["ReportBatchItemFailures"])
    eventually(lambda: queue.depth() == 0)
    assert sorted(eventually(lambda: seen(lambent, name) if len(seen(lambent, name)) == 4 else None)) == [
        "bad",
        "bad",
        "fine",
        "good",
    ]


def test_what_no_filter_wants_is_deleted_unseen(lambent: Lambent) -> None:
    queue = new_queue(lambent)
    name = function(lambent)
    patterns = ['{"body": {"total": [{"numeric": [">", 100]}]}}', '{"body": ["urgent"]}']
    filters = {"Filters": [{"Pattern": pattern} for pattern in patterns]}
    map_queue(lambent, name, queue, FilterCriteria=filters, MetricsConfig={"Metrics": ["EventCount"]})
    queue.send('{"total": 7}', "hello", '{"total": 700}', "urgent")
    eventually(lambda: queue.depth() == 0)
    eventually(lambda: sorted(seen(lambent, name)) == ["urgent", '{"total": 700}'])


def test_filters_under_a_key_are_read_by_who_may_use_it(lambent: Lambent) -> None:
    kms, client = lambent.client("kms"), lambent.lambda_
    queue, name = new_queue(lambent), function(lambent)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    criteria = {"Filters": [{"Pattern": json.dumps({"body": ["wanted"]})}]}
    with pytest.raises(ClientError, match=r"AccessDeniedException.*unable to encrypt"):
        map_queue(lambent, name, queue, FilterCriteria=criteria, KMSKeyArn=key)
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:event-source-mapping:*"}},
        }
    )
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    uuid = map_queue(lambent, name, queue, FilterCriteria=criteria, KMSKeyArn=key)
    shown = client.get_event_source_mapping(UUID=uuid)
    assert (shown["FilterCriteria"], shown["KMSKeyArn"]) == (criteria, key)
    (listed,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    assert "FilterCriteria" not in listed and listed["KMSKeyArn"] == key
    queue.send("unwanted", "wanted")
    eventually(lambda: queue.depth() == 0)
    assert eventually(lambda: seen(lambent, name)) == ["wanted"]

    kms.disable_key(KeyId=key)
    error = client.get_event_source_mapping(UUID=uuid)["FilterCriteriaError"]
    assert error["ErrorCode"] == "DisabledException" and "the KMS key used is disabled" in error["Message"]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="unable to decrypt"):
        client.update_event_source_mapping(UUID=uuid, KMSKeyArn="")
    replaced = client.update_event_source_mapping(UUID=uuid, FilterCriteria=criteria, KMSKeyArn="")
    assert replaced["FilterCriteria"] == criteria and "KMSKeyArn" not in replaced


def test_a_group_is_worked_off_in_order_also_when_it_fails(lambent: Lambent) -> None:
    queue = new_queue(lambent, fifo=True, VisibilityTimeout="1")
    source = (
        TELL
        + """    import pathlib
    marker = pathlib.Path("/tmp/failed")
    if "a2" in [record["body"] for record in event["Records"]] and not marker.exists():
        marker.touch()
        raise ValueError("once")
"""
    )
    name = function(lambent, source, Timeout=1)
    for number in range(6):
        queue.send(f"a{number}", MessageGroupId="a")
        queue.send(f"b{number}", MessageGroupId="b")
    # Two at once would be two environments with a marker each, so that the failure might come twice.
    map_queue(lambent, name, queue, BatchSize=1)
    eventually(lambda: queue.depth() == 0, seconds=20)
    eventually(lambda: len(set(seen(lambent, name))) == 12)
    bodies = seen(lambent, name)
    for group in "ab":
        of_group = [body for body in bodies if body.startswith(group)]
        assert of_group == sorted(of_group)


def test_a_window_gathers_a_batch(lambent: Lambent) -> None:
    queue = new_queue(lambent)
    name = function(lambent)
    map_queue(lambent, name, queue, BatchSize=12, MaximumBatchingWindowInSeconds=2)
    queue.send(*(str(number) for number in range(12)))
    eventually(lambda: queue.depth() == 0)
    [bodies] = eventually(lambda: saw(lambent, name))
    assert sorted(bodies, key=int) == [str(number) for number in range(12)]


def test_disabled_mappings_leave_their_queue_alone(lambent: Lambent) -> None:
    queue = new_queue(lambent)
    name = function(lambent)
    uuid = map_queue(lambent, name, queue)
    queue.send("first")
    eventually(lambda: seen(lambent, name) == ["first"])
    answer = lambent.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert answer["State"] == "Disabling"
    wait_state(lambent, uuid, "Disabled")
    queue.send("second")
    assert (
        queue.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=0)["Messages"][0]["Body"] == "second"
    )
    answer = lambent.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=1)
    assert answer["State"] == "Enabling"
    eventually(lambda: seen(lambent, name) == ["first", "second"])
    wait_state(lambent, uuid, "Enabled")
    assert lambent.lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"

    def gone() -> bool:
        try:
            lambent.lambda_.get_event_source_mapping(UUID=uuid)
        except lambent.lambda_.exceptions.ResourceNotFoundException:
            return True
        return False

    eventually(gone)
    queue.send("third")
    assert queue.sqs.receive_message(QueueUrl=queue.url)["Messages"][0]["Body"] == "third"


def test_a_role_that_may_not_read_the_queue(lambent: Lambent) -> None:
    queue = new_queue(lambent)
    name = lambent.python(TELL)
    with pytest.raises(ClientError) as refused:
        lambent.lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=queue.arn)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    }


def test_a_function_without_concurrency_loses_nothing(lambent: Lambent) -> None:
    queue = new_queue(lambent)
    name = function(lambent)
    lambent.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    map_queue(lambent, name, queue)
    queue.send("a")
    eventually(
        lambda: (
            queue.sqs.get_queue_attributes(
                QueueUrl=queue.url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
            )["Attributes"]["ApproximateNumberOfMessagesNotVisible"]
            == "1"
        )
    )
    lambent.lambda_.delete_function_concurrency(FunctionName=name)
    eventually(lambda: seen(lambent, name) == ["a"])
    eventually(lambda: queue.depth() == 0)


LOOP = """
import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    print("saw", '["turn"]')
    sqs.send_message(QueueUrl=URL, MessageBody="again")
"""


def test_a_loop_through_a_queue_ends_after_sixteen_turns(lambent: Lambent) -> None:
    queue = new_queue(lambent, VisibilityTimeout="30")
    arn = lambent.make_role("feeds-queues")
    lambent.iam.attach_role_policy(
        RoleName="feeds-queues", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess"
    )
    name = lambent.python(LOOP.replace("URL", repr(queue.url)), Role=arn, Timeout=20)
    map_queue(lambent, name, queue)
    queue.send("begin")
    eventually(lambda: len(seen(lambent, name)) == 16, seconds=20)
    eventually(lambda: queue.depth() == 0)
    assert len(seen(lambent, name)) == 16


def test_nothing_is_lost_when_the_server_is_killed(new_server: NewServer) -> None:
    lambent = new_server()
    queue = new_queue(lambent, VisibilityTimeout="3")
    source = TELL.replace("import json", "import json, time") + "    time.sleep(0.3)\n"
    name = function(lambent, source, Timeout=3)
    map_queue(lambent, name, queue, BatchSize=2)
    wanted = {str(number) for number in range(30)}
    queue.send(*sorted(wanted))
    eventually(lambda: seen(lambent, name))
    lambent.kill()
    lambent.start_again()
    queue = Queue(lambent.client("sqs"), queue.url, queue.arn)
    eventually(lambda: queue.depth() == 0, seconds=30)
    eventually(lambda: set(seen(lambent, name)) == wanted)
