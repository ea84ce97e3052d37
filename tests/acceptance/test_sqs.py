"""SQS as its users see it: boto3, the AWS CLI, clients of the query protocol."""

import json
import threading
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from lambent_cli import aws
from lambent_server import REGION, Lambent, eventually

NewServer = Callable[..., Lambent]


@pytest.fixture(scope="session")
def sqs(lambent: Lambent) -> Any:
    return lambent.client("sqs")


@pytest.fixture
def queue(lambent: Lambent, sqs: Any) -> str:
    return str(sqs.create_queue(QueueName=lambent.new_name("queue"))["QueueUrl"])


@pytest.fixture
def fifo(lambent: Lambent, sqs: Any) -> str:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return str(sqs.create_queue(QueueName=lambent.new_name() + ".fifo", Attributes=attributes)["QueueUrl"])


def arn_of(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def receive(sqs: Any, url: str, **parameters: Any) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=url, **parameters).get("Messages", []))


def test_a_message_there_and_back(sqs: Any, queue: str) -> None:
    sent = sqs.send_message(
        QueueUrl=queue,
        MessageBody="hällo",
        MessageAttributes={
            "Kind": {"DataType": "String", "StringValue": "greeting"},
            "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
    )
    [message] = receive(sqs, queue, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert message["Body"] == "hällo"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"]["Raw"] == {"DataType": "Binary", "BinaryValue": b"\x00\x01"}
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert receive(sqs, queue) == []
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_batches_tell_what_failed(sqs: Any, queue: str) -> None:
    sent = sqs.send_message_batch(
        QueueUrl=queue,
        Entries=[{"Id": "good", "MessageBody": "1"}, {"Id": "bad", "MessageBody": "2", "DelaySeconds": 901}],
    )
    assert [one["Id"] for one in sent["Successful"]] == ["good"]
    assert [(one["Id"], one["Code"]) for one in sent["Failed"]] == [("bad", "InvalidParameterValue")]
    [message] = receive(sqs, queue)
    deleted = sqs.delete_message_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "a", "ReceiptHandle": message["ReceiptHandle"]},
            {"Id": "b", "ReceiptHandle": "none"},
        ],
    )
    assert deleted["Successful"] == [{"Id": "a"}]
    assert [(one["Id"], one["Code"]) for one in deleted["Failed"]] == [("b", "ReceiptHandleIsInvalid")]


def test_long_polls_end_with_a_message_or_a_visibility_timeout(sqs: Any, queue: str) -> None:
    sender = threading.Timer(0.2, lambda: sqs.send_message(QueueUrl=queue, MessageBody="late"))
    sender.start()
    [message] = receive(sqs, queue, WaitTimeSeconds=20)
    sender.join()
    handle = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=1)
    [again] = receive(sqs, queue, WaitTimeSeconds=20)
    assert again["MessageId"] == message["MessageId"]


def test_fifo_order_groups_and_duplicates(sqs: Any, fifo: str) -> None:
    def send(body: str, group: str) -> str:
        sent = sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId=group)
        return str(sent["SequenceNumber"])

    first = send("a1", "a")
    assert send("a1", "a") == first < send("a2", "a") < send("b1", "b")
    messages = receive(sqs, fifo, MaxNumberOfMessages=1)
    assert [one["Body"] for one in messages] == ["a1"]
    assert [one["Body"] for one in receive(sqs, fifo, MaxNumberOfMessages=10)] == ["b1"]
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=messages[0]["ReceiptHandle"])
    assert [one["Body"] for one in receive(sqs, fifo, MaxNumberOfMessages=10)] == ["a2"]


def test_dead_letters(sqs: Any, queue: str, lambent: Lambent) -> None:
    dead = sqs.create_queue(QueueName=lambent.new_name("dead"))["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    assert len(receive(sqs, queue)) == 1
    assert receive(sqs, queue) == []
    [letter] = receive(sqs, dead, AttributeNames=["All"])
    assert letter["Body"] == "bad"
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(sqs, queue)


def test_what_was_acknowledged_survives_a_kill(new_server: NewServer) -> None:
    server = new_server()
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="taken")
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    [taken] = receive(sqs, url)
    server.kill()
    server.start_again()
    sqs = server.client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    assert [one["Body"] for one in receive(sqs, url, MaxNumberOfMessages=10)] == ["kept"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_who_waits_is_answered_when_the_server_ends(new_server: NewServer) -> None:
    server = new_server()
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    found: list[list[dict[str, Any]]] = []
    waiting = threading.Thread(target=lambda: found.append(receive(sqs, url, WaitTimeSeconds=20)))
    waiting.start()
    port = f":{int(server.endpoint.rpartition(':')[2]):04X}"
    established = f"{port} 01"  # as /proc writes a remote port and the state of a connection
    eventually(lambda: established in Path("/proc/net/tcp").read_text())
    for _ in range(5):  # the request is read before those that come later are answered
        server.client("sqs").get_queue_attributes(QueueUrl=url)
    assert server.stop() == 0
    waiting.join()
    assert found == [[]]


def test_a_queues_policy_decides(sqs: Any, queue: str, lambent: Lambent) -> None:
    role = lambent.make_role(lambent.new_name("role"), trust=_trust(lambent))
    session = lambent.sts.assume_role(RoleArn=role, RoleSessionName="consumer")["Credentials"]
    consumer = lambent.client(
        "sqs",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    with pytest.raises(ClientError, match="not authorized to perform: sqs:ReceiveMessage"):
        receive(consumer, queue)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": role},
        "Action": "sqs:ReceiveMessage",
        "Resource": arn_of(sqs, queue),
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    assert receive(consumer, queue) == []
    with pytest.raises(ClientError, match="not authorized to perform: sqs:SendMessage"):
        consumer.send_message(QueueUrl=queue, MessageBody="x")


def _trust(lambent: Lambent) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{lambent.account_id}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_the_aws_cli(lambent: Lambent) -> None:
    """Version 1 of the CLI asks AWS itself for SQS, whatever AWS_ENDPOINT_URL says: it takes the option."""

    def cli(*arguments: str) -> Any:
        return aws(lambent, "--endpoint-url", lambent.endpoint, "sqs", *arguments)

    name = lambent.new_name("cli")
    url = cli("create-queue", "--queue-name", name)["QueueUrl"]
    cli("send-message", "--queue-url", url, "--message-body", "from the shell")
    [message] = cli("receive-message", "--queue-url", url)["Messages"]
    assert message["Body"] == "from the shell"
    assert url in cli("list-queues", "--queue-name-prefix", name)["QueueUrls"]


def test_old_clients_speak_the_query_protocol_to_the_queues_url(lambent: Lambent, queue: str) -> None:
    def post(**form: str) -> tuple[int, str]:
        request = AWSRequest("POST", queue, data=urllib.parse.urlencode({"Version": "2012-11-05", **form}))
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        return send(request)

    def get(**query: str) -> tuple[int, str]:
        return send(AWSRequest("GET", f"{queue}?{urllib.parse.urlencode(query)}"))

    def send(request: AWSRequest) -> tuple[int, str]:
        credentials = lambent.client("sqs")._get_credentials()
        SigV4Auth(credentials, "sqs", REGION).add_auth(request)
        response = URLLib3Session().send(request.prepare())
        return response.status_code, response.text

    form = {
        "MessageBody": "old",
        "MessageAttribute.1.Name": "a",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "b",
    }
    status, text = post(Action="SendMessage", **form)
    assert status == 200, text
    assert "<SendMessageResult>" in text
    assert "<MD5OfMessageBody>149603e6c03516362a8da23f624db945</MD5OfMessageBody>" in text
    status, text = post(Action="ReceiveMessage", **{"MessageAttributeName.1": "All"})
    assert "<Body>old</Body>" in text
    assert "<Name>a</Name>" in text
    status, text = post(Action="SendMessage", MessageBody="x", QueueUrl=queue + "-not")
    assert status == 400
    assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text
    assert "does not exist for this wsdl version." in text
    status, text = post(Action="GetQueueAttributes", QueueUrl="http://nowhere")
    assert (status, "NonExistentQueue" in text) == (400, True)
    assert "<ReceiveMessageResult/>" in get(Action="ReceiveMessage")[1]
    assert (
        "<Attribute><Name>QueueArn</Name><Value>arn:aws:sqs:"
        in get(**{"Action": "GetQueueAttributes", "AttributeName.1": "All"})[1]
    )
    for action in ("FooBar", "CreateQueue", "ListQueues"):
        status, text = get(Action=action, QueueName="x")
        assert (status, "<Code>InvalidAction</Code>" in text) == (400, True)
        assert f"<Message>The action {action} is not valid for this endpoint.</Message>" in text
    assert (
        "<Message>The request must contain the parameter MessageBody.</Message>"
        in get(Action="SendMessage")[1]
    )
    status, text = send(AWSRequest("GET", queue))
    assert (status, text.startswith("<UnknownOperationException")) == (404, True)


def test_delays(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="slow", DelaySeconds=1)
    sqs.send_message(QueueUrl=queue, MessageBody="fast")
    assert [one["Body"] for one in receive(sqs, queue, MaxNumberOfMessages=10)] == ["fast"]
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesDelayed"] == "1"
    [slow] = eventually(lambda: receive(sqs, queue, WaitTimeSeconds=2))
    assert slow["Body"] == "slow"


def test_redriving_dead_letters(sqs: Any, queue: str, lambent: Lambent) -> None:
    dead = sqs.create_queue(QueueName=lambent.new_name("dead"))["QueueUrl"]
    source = arn_of(sqs, dead)
    with pytest.raises(ClientError, match="Source queue must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=source)
    policy = json.dumps({"deadLetterTargetArn": source, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    assert [len(receive(sqs, queue)) for _ in range(2)] == [1, 0]
    sqs.start_message_move_task(SourceArn=source)
    [message] = receive(sqs, queue, WaitTimeSeconds=10)
    assert message["Body"] == "bad"

    def ended() -> Any:
        [task] = sqs.list_message_move_tasks(SourceArn=source)["Results"]
        return task if task["Status"] == "COMPLETED" else None

    task = eventually(ended)
    assert (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (1, 1)
    assert "TaskHandle" not in task


def test_a_message_move_task_can_be_cancelled(sqs: Any, queue: str, lambent: Lambent) -> None:
    dead = sqs.create_queue(QueueName=lambent.new_name("dead"))["QueueUrl"]
    source = arn_of(sqs, dead)
    policy = json.dumps({"deadLetterTargetArn": source, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    for n in range(3):
        sqs.send_message(QueueUrl=dead, MessageBody=f"{n}")
    task = {"SourceArn": source, "DestinationArn": arn_of(sqs, queue), "MaxNumberOfMessagesPerSecond": 1}
    handle = sqs.start_message_move_task(**task)["TaskHandle"]
    with pytest.raises(ClientError, match="There is already a task running"):
        sqs.start_message_move_task(**task)
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] <= 1
    [found] = sqs.list_message_move_tasks(SourceArn=source)["Results"]
    assert found["Status"] == "CANCELLED"
    with pytest.raises(ClientError, match="Value for parameter TaskHandle is invalid"):
        sqs.cancel_message_move_task(TaskHandle="nonsense")


def test_permissions(sqs: Any, queue: str) -> None:
    accounts = ["111111111111", "222222222222"]
    sqs.add_permission(QueueUrl=queue, Label="one", AWSAccountIds=accounts, Actions=["ReceiveMessage"])
    with pytest.raises(ClientError, match="Value one for parameter Label is invalid"):
        sqs.add_permission(QueueUrl=queue, Label="one", AWSAccountIds=accounts, Actions=["SendMessage"])
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
    assert json.loads(attributes["Policy"]) == {
        "Version": "2008-10-17",
        "Id": f"{arn_of(sqs, queue)}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "one",
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in accounts]},
                "Action": "SQS:ReceiveMessage",
                "Resource": arn_of(sqs, queue),
            }
        ],
    }
    sqs.remove_permission(QueueUrl=queue, Label="one")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    with pytest.raises(ClientError, match="can't find label"):
        sqs.remove_permission(QueueUrl=queue, Label="one")


def test_a_receive_that_was_not_heard_is_repeated(sqs: Any, fifo: str) -> None:
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="g")
    first = receive(sqs, fifo, MaxNumberOfMessages=10, ReceiveRequestAttemptId="attempt")
    assert len(first) == 2
    assert receive(sqs, fifo, MaxNumberOfMessages=10, ReceiveRequestAttemptId="attempt") == first
    assert receive(sqs, fifo, ReceiveRequestAttemptId="other") == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first[0]["ReceiptHandle"])
    assert receive(sqs, fifo, ReceiveRequestAttemptId="attempt") == []
