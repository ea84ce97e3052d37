"""Events of buckets on their way: to functions, queues and buses, after a kill too."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

ECHO = """
import json
def handler(event, context):
    record = event["Records"][0]
    print("GOT", json.dumps([record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"].get("size")]))
"""


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture(scope="module")
def sqs(lambent: Lambent) -> Any:
    return lambent.client("sqs")


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("shelf")
    s3.create_bucket(Bucket=name)
    return name


def open_queue(lambent: Lambent, sqs: Any, bucket: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=lambent.new_name("q"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def received(sqs: Any, url: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", ()):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    eventually(enough)
    return found


def test_a_function_is_told_of_an_upload(lambent, s3, bucket):
    name = lambent.python(ECHO)
    arn = lambent.lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
    one = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    configuration = {"LambdaFunctionConfigurations": [one]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    lambent.lambda_.add_permission(
        FunctionName=name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
    )
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    found = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
    assert found[0]["LambdaFunctionArn"] == arn
    assert found[0]["Id"]
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=b"12345")
    lines = eventually(lambda: [line for line in lambent.log_lines(f"/aws/lambda/{name}") if "GOT" in line])
    assert json.loads(lines[0].partition("GOT ")[2]) == ["ObjectCreated:Put", "a+b/%C3%BC", 5]


def test_a_queue_is_told_what_its_filter_lets_through(lambent, s3, sqs, bucket):
    url, arn = open_queue(lambent, sqs, bucket)
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".jpg"}]
    one = {
        "Id": "mine",
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [one]}
    )
    (test,) = received(sqs, url, 1)
    assert (test["Service"], test["Event"], test["Bucket"]) == ("Amazon S3", "s3:TestEvent", bucket)
    named = {"Bucket": bucket, "Key": "in/a.jpg"}
    etag = s3.put_object(**named, Body=b"x")["ETag"]
    s3.put_object(Bucket=bucket, Key="in/a.txt", Body=b"x")
    s3.put_object_tagging(**named, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object(**named)
    records = [body["Records"][0] for body in received(sqs, url, 3)]
    by_name = {record["eventName"]: record for record in records}
    assert set(by_name) == {"ObjectCreated:Put", "ObjectTagging:Put", "ObjectRemoved:Delete"}
    created = by_name["ObjectCreated:Put"]
    assert created["eventVersion"] == "2.1"
    assert created["s3"]["configurationId"] == "mine"
    assert created["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    assert created["s3"]["object"]["eTag"] == etag.strip('"')
    removed = by_name["ObjectRemoved:Delete"]["s3"]["object"]
    assert set(removed) == {"key", "sequencer"}
    assert removed["sequencer"] > created["s3"]["object"]["sequencer"]


def test_a_bus_is_told_of_everything(lambent, s3, sqs, bucket):
    url, arn = open_queue(lambent, sqs, bucket)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events = lambent.client("events")
    rule = lambent.new_name("rule")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn}])
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket=bucket, Key="a b", Body=b"x")
    (event,) = received(sqs, url, 1)
    assert event["detail-type"] == "Object Created"
    assert event["resources"] == [f"arn:aws:s3:::{bucket}"]
    assert event["detail"]["object"]["key"] == "a b"
    assert event["detail"]["reason"] == "PutObject"


def test_a_topic_is_told_and_tells_its_queue(lambent, s3, sqs, bucket):
    sns = lambent.client("sns")
    topic = sns.create_topic(Name=lambent.new_name("t"))["TopicArn"]
    one = {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}
    configuration = {"TopicConfigurations": [one]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    url, arn = open_queue(lambent, sqs, bucket)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    test, told = received(sqs, url, 2)
    assert {test["Subject"], told["Subject"]} == {"Amazon S3 Notification"}
    messages = [json.loads(test["Message"]), json.loads(told["Message"])]
    assert any(message.get("Event") == "s3:TestEvent" for message in messages)
    records = [message["Records"][0] for message in messages if "Records" in message]
    assert [record["s3"]["object"]["key"] for record in records] == ["k"]


@pytest.mark.parametrize(
    ("queue", "members"),
    [
        ("invalid-queue", {"ArgumentName": "Queue", "ArgumentValue": "invalid-queue"}),
        (
            "arn:aws:sqs:us-east-1:{account}:ghost",
            {
                "ArgumentName1": "arn:aws:sqs:us-east-1:{account}:ghost",
                "ArgumentValue1": "The destination queue does not exist",
            },
        ),
    ],
)
def test_a_queue_that_cannot_be_told(lambent, s3, bucket, queue, members):
    arn = queue.format(account=lambent.account_id)
    one = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [one]}
        )
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidArgument"
    for name, value in members.items():
        assert error[name] == value.format(account=lambent.account_id)


def test_an_event_that_could_not_be_delivered_is_after_a_kill(new_server):
    running = new_server()
    s3, sqs = running.client("s3"), running.client("sqs")
    s3.create_bucket(Bucket="shelf")
    url, arn = open_queue(running, sqs, "shelf")
    one = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="shelf", NotificationConfiguration={"QueueConfigurations": [one]}
    )
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    s3.put_object(Bucket="shelf", Key="k", Body=b"x")
    running.kill()
    running.start_again()
    sqs = running.client("sqs")
    url = sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    bodies = received(sqs, url, 2)
    assert [body["Records"][0]["s3"]["object"]["key"] for body in bodies if "Records" in body] == ["k"]


def test_what_is_told_although_nothing_was_there_and_what_is_not(lambent, s3, sqs, bucket):
    url, arn = open_queue(lambent, sqs, bucket)
    one = {
        "QueueArn": arn,
        "Events": ["s3:ObjectRemoved:*", "s3:ObjectAcl:Put"],
        "Filter": {
            "Key": {"FilterRules": [{"Name": "PREFIX", "Value": ""}, {"Name": "Suffix", "Value": "k"}]}
        },
    }
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [one]},
        SkipDestinationValidation=True,
    )
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="never k")
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")  # which it has
    s3.put_object_acl(
        Bucket=bucket, Key="k", GrantRead='uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
    )
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}, {"Key": "not k"}]})
    bodies = received(sqs, url, 3)
    told = [(body["Records"][0]["eventName"], body["Records"][0]["s3"]["object"]["key"]) for body in bodies]
    assert sorted(told) == [
        ("ObjectAcl:Put", "k"),
        ("ObjectRemoved:Delete", "k"),
        ("ObjectRemoved:Delete", "not+k"),
    ]
