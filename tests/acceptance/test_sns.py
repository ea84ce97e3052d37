"""SNS as its users see it: boto3, the AWS CLI, subscribers of every kind."""

import base64
import contextlib
import hashlib
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lambent_cli import aws
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]


class Subscribers:
    """A topic, and queues and endpoints that subscribe to it."""

    def __init__(self, lambent: Lambent) -> None:
        self.lambent = lambent
        self.sns = lambent.client("sns")
        self.sqs = lambent.client("sqs")

    def topic(self, suffix: str = "", **attributes: str) -> str:
        name = self.lambent.new_name("topic") + suffix
        return str(self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"])

    def queue(self, suffix: str = "", *, allowed: bool = True) -> tuple[str, str]:
        """URL and ARN of a queue that topics may send to."""
        attributes = {"FifoQueue": "true"} if suffix else {}
        name = self.lambent.new_name("queue") + suffix
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        if allowed:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, arn

    def subscribe(self, topic: str, queue_arn: str, **attributes: str) -> str:
        subscribed = self.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes
        )
        return str(subscribed["SubscriptionArn"])

    def receive(self, url: str, count: int = 1) -> list[dict[str, Any]]:
        """So many messages; deletes them."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            received = self.sqs.receive_message(
                QueueUrl=url,
                WaitTimeSeconds=10,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            assert received, f"only {len(found)} of {count}"
            for message in received:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += received
        return found


@pytest.fixture(scope="session")
def subscribers(lambent: Lambent) -> Subscribers:
    return Subscribers(lambent)


class Endpoint:
    """An HTTP server that keeps what it is sent, and refuses as often as it is told to."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], str]] = []
        self.refusals = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                refused = endpoint.refusals > 0
                endpoint.refusals -= refused
                self.send_response(503 if refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if not refused:
                    endpoint.received.append(({k.lower(): v for k, v in self.headers.items()}, body))

            def log_message(self, *arguments: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self, number: int) -> tuple[dict[str, str], dict[str, Any]]:
        headers, body = eventually(lambda: self.received[number:])[0]
        return headers, json.loads(body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    serving = threading.Thread(target=made.server.serve_forever)
    serving.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    serving.join()


def get(url: str) -> bytes:
    with contextlib.closing(urllib.request.urlopen(url, timeout=10)) as answer:
        return bytes(answer.read())


def verify(members: dict[str, Any]) -> None:
    """As the documentation tells subscribers to."""
    names = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    text = "".join(f"{name}\n{members[name]}\n" for name in names if name in members)
    certificate = x509.load_pem_x509_certificate(get(members["SigningCertURL"]))
    digest = hashes.SHA256() if members["SignatureVersion"] == "2" else hashes.SHA1()
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(members["Signature"]), text.encode(), padding.PKCS1v15(), digest)


@pytest.mark.parametrize("version", ["1", "2"])
def test_from_a_topic_to_a_queue(subscribers: Subscribers, version: str) -> None:
    topic, (url, arn) = subscribers.topic(SignatureVersion=version), subscribers.queue()
    subscription = subscribers.subscribe(topic, arn)
    published = subscribers.sns.publish(
        TopicArn=topic,
        Message="hällo",
        Subject="greeting",
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "7"}},
    )
    [message] = subscribers.receive(url)
    members = json.loads(message["Body"])
    verify(members)
    assert list(members) == [
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion"),
        *("Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"),
    ]
    assert members["MessageId"] == published["MessageId"]
    assert (members["Message"], members["Subject"], members["TopicArn"]) == ("hällo", "greeting", topic)
    assert members["MessageAttributes"] == {"n": {"Type": "Number", "Value": "7"}}
    get(members["UnsubscribeURL"])
    with pytest.raises(ClientError, match="Subscription does not exist"):
        subscribers.sns.get_subscription_attributes(SubscriptionArn=subscription)


def test_raw_delivery_filters_and_structures(subscribers: Subscribers) -> None:
    topic, (url, arn) = subscribers.topic(), subscribers.queue()
    policy = json.dumps({"kind": ["order", {"prefix": "re"}], "total": [{"numeric": [">", 10]}]})
    subscribers.subscribe(topic, arn, RawMessageDelivery="true", FilterPolicy=policy)

    def publish(kind: str, total: str, message: str, **parameters: Any) -> None:
        attributes = {
            "kind": {"DataType": "String", "StringValue": kind},
            "total": {"DataType": "Number", "StringValue": total},
        }
        subscribers.sns.publish(TopicArn=topic, Message=message, MessageAttributes=attributes, **parameters)

    publish("order", "9", "too cheap")
    publish("other", "11", "not an order")
    publish("order", "11", "order")
    publish("refund", "12", json.dumps({"default": "d", "sqs": "for queues"}), MessageStructure="json")
    messages = subscribers.receive(url, 2)
    assert {message["Body"] for message in messages} == {"order", "for queues"}
    kinds = {message["MessageAttributes"]["kind"]["StringValue"] for message in messages}
    assert kinds == {"order", "refund"}


def test_filters_on_the_body(subscribers: Subscribers) -> None:
    topic, (url, arn) = subscribers.topic(), subscribers.queue()
    policy = json.dumps({"order": {"items": ["tea"]}})
    subscribers.subscribe(
        topic, arn, RawMessageDelivery="true", FilterPolicy=policy, FilterPolicyScope="MessageBody"
    )
    for body in ("no JSON", '{"order": {"items": ["milk"]}}', '{"order": {"items": ["milk", "tea"]}}'):
        subscribers.sns.publish(TopicArn=topic, Message=body)
    [message] = subscribers.receive(url)
    assert "tea" in message["Body"]


def test_an_endpoint_confirms_and_gets_what_it_refused_again(
    subscribers: Subscribers, endpoint: Endpoint
) -> None:
    topic, endpoint.refusals = subscribers.topic(), 1
    answer = subscribers.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    assert answer["SubscriptionArn"] == "pending confirmation"
    headers, confirmation = endpoint.next(0)
    assert headers["x-amz-sns-message-type"] == confirmation["Type"] == "SubscriptionConfirmation"
    verify(confirmation)
    [listed] = subscribers.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    get(confirmation["SubscribeURL"])
    endpoint.refusals = 2
    subscribers.sns.publish(TopicArn=topic, Message="news")
    headers, notification = endpoint.next(1)
    verify(notification)
    assert (headers["x-amz-sns-message-type"], notification["Message"]) == ("Notification", "news")
    arn = headers["x-amz-sns-subscription-arn"]
    attributes = subscribers.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["ConfirmationWasAuthenticated"] == attributes["PendingConfirmation"] == "false"
    subscribers.sns.unsubscribe(SubscriptionArn=arn)
    assert endpoint.next(2)[1]["Type"] == "UnsubscribeConfirmation"


def test_a_function_is_invoked_with_records(subscribers: Subscribers, lambent: Lambent) -> None:
    topic = subscribers.topic(SignatureVersion="2")
    name = lambent.python("import json\ndef handler(event, context): print('GOT', json.dumps(event))\n")
    function = lambent.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    lambent.lambda_.add_permission(
        FunctionName=name,
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    subscribed = subscribers.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    subscribers.sns.publish(TopicArn=topic, Message="work")
    found = eventually(
        lambda: [line for line in lambent.log_lines(f"/aws/lambda/{name}") if line.startswith("GOT ")]
    )
    [record] = json.loads(found[0].removeprefix("GOT "))["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == subscribed["SubscriptionArn"]
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("work", None)
    assert record["Sns"]["SignatureVersion"] == "1"  # so AWS says of either


def test_dead_letters_of_a_queue_that_refuses(subscribers: Subscribers) -> None:
    topic, (_, refusing), (dead_url, dead_arn) = (
        subscribers.topic(),
        subscribers.queue(allowed=False),
        subscribers.queue(),
    )
    redrive = json.dumps({"deadLetterTargetArn": dead_arn})
    subscribers.subscribe(topic, refusing, RedrivePolicy=redrive, RawMessageDelivery="true")
    subscribers.sns.publish(TopicArn=topic, Message="nobody wants me")
    [letter] = subscribers.receive(dead_url)
    assert letter["Body"] == "nobody wants me"


def test_what_became_of_notifications_is_logged(subscribers: Subscribers, lambent: Lambent) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = lambent.make_role("feedback", {"Version": "2012-10-17", "Statement": [statement]})
    may_log = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    lambent.iam.put_role_policy(
        RoleName="feedback",
        PolicyName="logs",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may_log]}),
    )
    topic = subscribers.topic(SQSSuccessFeedbackRoleArn=role, SQSFailureFeedbackRoleArn=role)
    _, _, _, region, account_id, name = topic.split(":")
    (url, allowing), (_, refusing) = subscribers.queue(), subscribers.queue(allowed=False)
    subscribers.subscribe(topic, allowing)
    subscribers.subscribe(topic, refusing)
    published = subscribers.sns.publish(TopicArn=topic, Message="news")["MessageId"]
    [message] = subscribers.receive(url)

    def entry(group: str) -> dict[str, Any]:
        [line] = eventually(lambda: lambent.log_lines(group))
        return dict(json.loads(line))

    success = entry(f"sns/{region}/{account_id}/{name}")
    assert success["notification"] | {"timestamp": ""} == {
        "messageMD5Sum": hashlib.md5(b"news").hexdigest(),
        "messageId": published,
        "topicArn": topic,
        "timestamp": "",
    }
    assert list(success["delivery"]) == [
        "deliveryId",
        "destination",
        "providerResponse",
        "dwellTimeMs",
        "statusCode",
    ]
    assert json.loads(success["delivery"]["providerResponse"])["sqsMessageId"] == message["MessageId"]
    failure = entry(f"sns/{region}/{account_id}/{name}/Failure")
    assert (failure["status"], failure["delivery"]["destination"]) == ("FAILURE", refusing)
    assert json.loads(failure["delivery"]["providerResponse"])["sqsRequestId"] == "Unrecoverable"


def test_fifo_topics_keep_order_and_drop_duplicates(subscribers: Subscribers) -> None:
    topic = subscribers.topic(".fifo", FifoTopic="true", ContentBasedDeduplication="true")
    url, arn = subscribers.queue(".fifo")
    subscribers.subscribe(topic, arn, RawMessageDelivery="true")
    entries = [{"Id": f"{n}", "Message": f"{n}", "MessageGroupId": "g"} for n in range(10)]
    published = subscribers.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    numbers = [one["SequenceNumber"] for one in published["Successful"]]
    assert numbers == sorted(numbers)
    again = subscribers.sns.publish(TopicArn=topic, Message="3", MessageGroupId="g")
    assert again["SequenceNumber"] == numbers[3]
    subscribers.sns.publish(TopicArn=topic, Message="last", MessageGroupId="g")
    bodies = [message["Body"] for message in subscribers.receive(url, 11)]
    assert bodies == [*(f"{n}" for n in range(10)), "last"]
    with pytest.raises(ClientError, match="The MessageGroupId parameter is required for FIFO topics"):
        subscribers.sns.publish(TopicArn=topic, Message="x")


def test_what_was_accepted_is_delivered_after_a_kill(new_server: NewServer, endpoint: Endpoint) -> None:
    server = new_server("--retry-base-seconds", "6")
    sns = server.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    get(endpoint.next(0)[1]["SubscribeURL"])
    endpoint.refusals = 1
    sns.publish(TopicArn=topic, Message="survivor")
    eventually(lambda: endpoint.refusals == 0)
    server.kill()
    server.start_again()
    assert endpoint.next(1)[1]["Message"] == "survivor"


def test_refusals(subscribers: Subscribers) -> None:
    topic = subscribers.topic()

    def refused(operation: str, **parameters: Any) -> str:
        with pytest.raises(ClientError) as caught:
            getattr(subscribers.sns, operation)(**parameters)
        error = caught.value.response["Error"]
        return f"{error['Code']}: {error['Message']}"

    assert refused("publish", TopicArn=topic + "x", Message="m") == "NotFound: Topic does not exist"
    assert refused("publish", TopicArn=topic, Message="m" * 262_145) == (
        "InvalidParameter: Invalid parameter: Message too long"
    )
    assert refused("subscribe", TopicArn=topic, Protocol="smoke", Endpoint="x") == (
        "InvalidParameter: Invalid parameter: Amazon SNS does not support this protocol string: smoke"
    )
    assert refused("publish", PhoneNumber="+1a234", Message="m") == (
        "InvalidParameter: Invalid parameter: PhoneNumber Reason: +1a234 is not valid to publish to"
    )
    assert refused("subscribe", TopicArn=topic, Protocol="sms", Endpoint="N+15551234567") == (
        "InvalidParameter: Invalid SMS endpoint: N+15551234567"
    )
    attribute = {"a": {"DataType": "String", "StringValue": ""}}
    assert refused("publish", TopicArn=topic, Message="m", MessageAttributes=attribute) == (
        "ParameterValueInvalid: The message attribute 'a' must contain non-empty message attribute value for "
        "message attribute type 'String'."
    )
    assert (
        refused("confirm_subscription", TopicArn=topic, Token="nonsense") == "InvalidParameter: Invalid token"
    )
    assert refused("confirm_subscription", TopicArn=topic, Token="ab" * 64) == (
        "InvalidParameter: Invalid parameter: Token"
    )


def test_the_aws_cli(lambent: Lambent) -> None:
    name = lambent.new_name("cli")
    topic = aws(lambent, "sns", "create-topic", "--name", name, "--tags", "Key=a,Value=b")["TopicArn"]
    assert aws(lambent, "sns", "publish", "--topic-arn", topic, "--message", "m")["MessageId"]
    assert {"TopicArn": topic} in aws(lambent, "sns", "list-topics")["Topics"]
    tags = aws(lambent, "sns", "list-tags-for-resource", "--resource-arn", topic)["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    aws(lambent, "sns", "delete-topic", "--topic-arn", topic)
