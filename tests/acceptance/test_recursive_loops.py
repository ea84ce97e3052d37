"""A function that invokes itself through another service is stopped after sixteen turns.

Its SDK passes the tracing header on, as those in the runtimes do, and the services keep it."""

import json
from typing import Any

import pytest
from lambent_server import Lambent, eventually

TURN = """
import boto3
client = boto3.client({service!r})
def handler(event, context):
    print("turn")
    client.{call}
"""


@pytest.fixture(scope="module")
def role(lambent: Lambent) -> str:
    arn = lambent.make_role("may-loop")
    statement = {"Effect": "Allow", "Action": ["sqs:*", "sns:*", "s3:*"], "Resource": "*"}
    lambent.iam.put_role_policy(
        RoleName="may-loop",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return arn


def turns(lambent: Lambent, name: str) -> int:
    return sum(line == "turn\n" for line in lambent.log_lines(f"/aws/lambda/{name}"))


def dead_letters(lambent: Lambent) -> tuple[str, str]:
    sqs = lambent.client("sqs")
    url = sqs.create_queue(QueueName=lambent.new_name("dead"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def stopped(lambent: Lambent, url: str) -> str:
    """What the dead letter says of it."""
    sqs = lambent.client("sqs")

    def received() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])
        return list(answer.get("Messages", ()))

    (message,) = eventually(received, seconds=60)
    return str(message["MessageAttributes"]["ErrorMessage"]["StringValue"])


def test_through_a_topic(lambent: Lambent, role: str) -> None:
    sns = lambent.client("sns")
    topic = sns.create_topic(Name=lambent.new_name("topic"))["TopicArn"]
    source = TURN.format(service="sns", call=f"publish(TopicArn='{topic}', Message='again')")
    url, arn = dead_letters(lambent)
    name = lambent.python(source, Role=role, Timeout=30, DeadLetterConfig={"TargetArn": arn})
    lambent.lambda_.add_permission(
        FunctionName=name,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    function_arn = lambent.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function_arn)
    sns.publish(TopicArn=topic, Message="first")
    assert "recursive loop" in stopped(lambent, url)
    assert eventually(lambda: turns(lambent, name) == 16)


def test_through_a_bucket(lambent: Lambent, role: str) -> None:
    s3 = lambent.client("s3")
    bucket = lambent.new_name("bucket")
    s3.create_bucket(Bucket=bucket)
    source = TURN.format(service="s3", call=f"put_object(Bucket='{bucket}', Key='again', Body=b'')")
    url, arn = dead_letters(lambent)
    name = lambent.python(source, Role=role, Timeout=30, DeadLetterConfig={"TargetArn": arn})
    lambent.lambda_.add_permission(
        FunctionName=name,
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
    )
    function_arn = lambent.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    configuration = {"LambdaFunctionArn": function_arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )
    s3.put_object(Bucket=bucket, Key="first", Body=b"")
    assert "recursive loop" in stopped(lambent, url)
    assert eventually(lambda: turns(lambent, name) == 16)


def test_through_a_queue(lambent: Lambent, role: str) -> None:
    sqs = lambent.client("sqs")
    dead_url, dead_arn = dead_letters(lambent)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    url = sqs.create_queue(
        QueueName=lambent.new_name("queue"), Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "3"}
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = TURN.format(service="sqs", call=f"send_message(QueueUrl='{url}', MessageBody='again')")
    name = lambent.python(source, Role=role, Timeout=3)
    lambent.lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=1)
    sqs.send_message(QueueUrl=url, MessageBody="first")
    assert eventually(lambda: turns(lambent, name) == 16, seconds=30)
    (message,) = sqs.receive_message(QueueUrl=dead_url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "again"
    assert turns(lambent, name) == 16
