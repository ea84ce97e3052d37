"""Queues and topics with a KMS key of a customer: what waits on disk is sealed, and the key decides who reads it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]
SECRET = "the harbour at midnight"


@pytest.fixture(scope="module")
def kms(lambent: Lambent) -> Any:
    return lambent.client("kms")


def make_queue(lambent: Lambent, **attributes: str) -> tuple[str, str]:
    sqs = lambent.client("sqs")
    url = sqs.create_queue(QueueName=lambent.new_name("q"), Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, found["QueueArn"]


def is_on_disk(lambent: Lambent, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in lambent.data_dir.glob("lambent.db*"))


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def as_role(lambent: Lambent, service: str, *statements: dict[str, Any]) -> Any:
    name = lambent.new_name("reader")
    trust = {"Effect": "Allow", "Principal": {"AWS": lambent.account_id}, "Action": "sts:AssumeRole"}
    arn = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [trust]})
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    lambent.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    keys = lambent.sts.assume_role(RoleArn=arn, RoleSessionName="reading")["Credentials"]
    return lambent.client(
        service,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_messages_are_sealed_and_opened_by_who_may_use_the_key(lambent, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    dead_url, dead_arn = make_queue(lambent)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    url, _ = make_queue(lambent, KmsMasterKeyId=key, RedrivePolicy=redrive)
    sqs = lambent.client("sqs")
    sent = sqs.send_message(QueueUrl=url, MessageBody=SECRET)
    assert not is_on_disk(lambent, SECRET)
    free = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    stranger = as_role(lambent, "sqs", free)
    assert refusal(stranger.send_message, QueueUrl=url, MessageBody="x") == "KMS.AccessDeniedException"
    (received,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    assert (received["Body"], received["MD5OfBody"]) == (SECRET, sent["MD5OfMessageBody"])
    sqs.receive_message(QueueUrl=url)  # it has been received as often as it may be
    assert refusal(stranger.receive_message, QueueUrl=dead_url) == "KMS.AccessDeniedException"
    reader = as_role(lambent, "sqs", free, {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key})
    (dead,) = reader.receive_message(QueueUrl=dead_url)["Messages"]
    assert dead["Body"] == SECRET, "a refused receive leaves it there, and its key goes with it"


def test_a_key_that_is_no_more_is_told(new_server: NewServer) -> None:
    server = new_server()
    kms, sqs = server.client("kms"), server.client("sqs")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    url, _ = make_queue(server, KmsMasterKeyId=key)
    sqs.send_message(QueueUrl=url, MessageBody=SECRET)
    kms.disable_key(KeyId=key)
    server.stop()
    server.start_again()  # nobody remembers a data key now
    kms, sqs = server.client("kms"), server.client("sqs")
    url = sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
    assert refusal(sqs.receive_message, QueueUrl=url) == "KMS.DisabledException"
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="x") == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == SECRET
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/nobody"})
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="x") == "KMS.NotFoundException"


def test_a_topic_needs_its_key(new_server: NewServer) -> None:
    server = new_server()
    kms, sns, sqs = (server.client(name) for name in ("kms", "sns", "sqs"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    topic = sns.create_topic(Name="t", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    url, arn = make_queue(server)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message=SECRET)
    (received,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert received["Body"] == SECRET
    kms.disable_key(KeyId=key)
    server.stop()
    server.start_again()
    sns = server.client("sns")
    assert refusal(sns.publish, TopicArn=topic, Message="x") == "KMSDisabled"
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/nobody")
    assert refusal(sns.publish, TopicArn=topic, Message="x") == "KMSNotFound"
