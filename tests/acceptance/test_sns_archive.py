"""Archives of FIFO topics and their replays, as subscribers see them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]


class Archive:
    """A FIFO topic with an archive, and queues that subscribe to it."""

    def __init__(self, lambent: Lambent) -> None:
        self.lambent = lambent
        self.topic = str(
            self.sns.create_topic(
                Name=lambent.new_name("topic") + ".fifo",
                Attributes={
                    "FifoTopic": "true",
                    "ContentBasedDeduplication": "true",
                    "ArchivePolicy": json.dumps({"MessageRetentionPeriod": "30"}),
                },
            )["TopicArn"]
        )

    @property
    def sns(self) -> Any:
        return self.lambent.client("sns")

    @property
    def sqs(self) -> Any:
        return self.lambent.client("sqs")

    def queue(self) -> tuple[str, str]:
        name = self.lambent.new_name("queue") + ".fifo"
        arn = f"arn:aws:sqs:us-east-1:{self.lambent.account_id}:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        attributes = {"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId", "Policy": policy}
        attributes["DeduplicationScope"] = "messageGroup"
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]), arn

    def subscribe(self, queue_arn: str, **attributes: str) -> str:
        return str(
            self.sns.subscribe(
                TopicArn=self.topic,
                Protocol="sqs",
                Endpoint=queue_arn,
                Attributes=attributes,
                ReturnSubscriptionArn=True,
            )["SubscriptionArn"]
        )

    def publish(self, *texts: str, group: str = "g") -> list[str]:
        return [
            str(self.sns.publish(TopicArn=self.topic, Message=text, MessageGroupId=group)["MessageId"])
            for text in texts
        ]

    def receive(self, url: str, count: int) -> list[dict[str, Any]]:
        """The bodies of so many messages, in order."""
        bodies: list[dict[str, Any]] = []
        while len(bodies) < count:
            received = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)
            assert received.get("Messages"), f"only {bodies}"
            for message in received["Messages"]:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(json.loads(message["Body"]))
        return bodies

    def attributes(self, subscription: str) -> dict[str, str]:
        found = self.sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        return dict(found)

    def completed(self, subscription: str) -> bool:
        return self.attributes(subscription)["ReplayStatus"] == "Completed"


def policy(start: datetime, end: datetime | None = None) -> str:
    points = {"PointType": "Timestamp", "StartingPoint": start.isoformat(timespec="milliseconds")}
    if end is not None:
        points["EndingPoint"] = end.isoformat(timespec="milliseconds")
    return json.dumps(points)


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def archive(lambent: Lambent) -> Archive:
    return Archive(lambent)


def test_a_replay_brings_what_was_before_and_then_what_comes(archive: Archive) -> None:
    ids = archive.publish("a", "b")
    url, arn = archive.queue()
    subscription = archive.subscribe(arn, ReplayPolicy=policy(an_hour_ago()))
    ids += archive.publish("c")
    eventually(lambda: archive.completed(subscription))
    ids += archive.publish("d")
    bodies = archive.receive(url, 4)
    assert [body["Message"] for body in bodies] == ["a", "b", "c", "d"]
    assert [body["MessageId"] for body in bodies] == ids
    assert [body.get("Replayed") for body in (bodies[0], bodies[-1])] == ["true", None]


def test_an_ended_replay_is_all_that_a_subscription_gets_until_it_is_taken_away(archive: Archive) -> None:
    archive.publish("a", "other")
    url, arn = archive.queue()
    subscription = archive.subscribe(
        arn, FilterPolicyScope="MessageBody", FilterPolicy=json.dumps({"is": ["wanted"]})
    )
    archive.publish('{"is": "wanted"}')
    [first] = archive.receive(url, 1)
    archive.sns.set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="ReplayPolicy",
        AttributeValue=policy(an_hour_ago(), datetime.now(UTC)),
    )
    eventually(lambda: archive.completed(subscription))
    archive.publish('{"is": "wanted", "when": "after the end"}')
    archive.sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="ReplayPolicy", AttributeValue="{}"
    )
    assert not {"ReplayPolicy", "ReplayStatus"} & archive.attributes(subscription).keys()
    archive.publish('{"is": "wanted", "when": "now"}')
    again, last = archive.receive(url, 2)
    assert again == {**first, "Replayed": "true"}
    assert json.loads(last["Message"])["when"] == "now"


def test_a_replay_goes_on_after_a_kill(new_server: NewServer) -> None:
    archive = Archive(new_server())
    sns = archive.sns
    for batch in range(3):
        sns.publish_batch(
            TopicArn=archive.topic,
            PublishBatchRequestEntries=[
                {"Id": str(each), "Message": f"{batch * 10 + each}", "MessageGroupId": f"g{each % 5}"}
                for each in range(10)
            ],
        )
    url, arn = archive.queue()
    subscription = archive.subscribe(arn, ReplayPolicy=policy(an_hour_ago()))
    archive.lambent.kill()
    archive.lambent.start_again()
    eventually(lambda: archive.completed(subscription), seconds=60)
    texts = [int(body["Message"]) for body in archive.receive(url.rpartition("/")[2], 30)]
    assert sorted(texts) == list(range(30))
    for group in range(5):
        of_group = [text for text in texts if text % 5 == group]
        assert of_group == sorted(of_group)


def test_an_archive_protects_its_topic_and_ends_with_its_policy(archive: Archive) -> None:
    sns = archive.sns
    attributes = sns.get_topic_attributes(TopicArn=archive.topic)["Attributes"]
    assert json.loads(attributes["ArchivePolicy"]) == {"MessageRetentionPeriod": "30"}
    beginning = datetime.fromisoformat(attributes["BeginningArchiveTime"])
    assert abs(beginning - datetime.now(UTC)) < timedelta(minutes=5)
    with pytest.raises(ClientError) as caught:
        sns.delete_topic(TopicArn=archive.topic)
    assert caught.value.response["Error"]["Code"] == "InvalidState"
    assert (
        caught.value.response["Error"]["Message"]
        == "Invalid state: Cannot delete a topic with an ArchivePolicy"
    )
    archive.publish("a")
    sns.set_topic_attributes(TopicArn=archive.topic, AttributeName="ArchivePolicy", AttributeValue="{}")
    attributes = sns.get_topic_attributes(TopicArn=archive.topic)["Attributes"]
    assert not {"ArchivePolicy", "BeginningArchiveTime"} & attributes.keys()
    _, arn = archive.queue()
    with pytest.raises(ClientError, match="active ArchivePolicy"):
        archive.subscribe(arn, ReplayPolicy=policy(an_hour_ago()))
    sns.delete_topic(TopicArn=archive.topic)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no JSON", "failed to parse JSON"),
        ('{"PointType": "Sequence", "StartingPoint": "2024-01-01T00:00:00.000Z"}', "PointType"),
        ('{"PointType": "Timestamp"}', "StartingPoint is required"),
        ('{"PointType": "Timestamp", "StartingPoint": null}', "StartingPoint is required"),
        ('{"PointType": "Timestamp", "StartingPoint": "yesterday"}', "StartingPoint must be a timestamp"),
        ('{"PointType": "Timestamp", "StartingPoint": "2999-01-01T00:00:00.000Z"}', "in the past"),
    ],
)
def test_replay_policies_that_are_refused(archive: Archive, value: str, said: str) -> None:
    _, arn = archive.queue()
    with pytest.raises(ClientError, match=said) as caught:
        archive.subscribe(arn, ReplayPolicy=value)
    assert caught.value.response["Error"]["Code"] == "InvalidParameter"


def test_standard_topics_keep_nothing(lambent: Lambent) -> None:
    sns = lambent.client("sns")
    policy = json.dumps({"MessageRetentionPeriod": "30"})
    with pytest.raises(ClientError, match="FIFO topics only"):
        sns.create_topic(Name=lambent.new_name("topic"), Attributes={"ArchivePolicy": policy})
    with pytest.raises(ClientError, match="between 1 and 365"):
        sns.create_topic(
            Name=lambent.new_name("topic") + ".fifo",
            Attributes={"FifoTopic": "true", "ArchivePolicy": policy.replace("30", "366")},
        )
