"""Services joined by EventBridge: what one of them does reaches another, each hop allowed by its policy."""

import json
from typing import Any

from lambent_server import TRUST, Lambent, eventually

TELL = "import json\ndef handler(event, context):\n    print('got ' + json.dumps(event))\n"
SEND = """
import boto3, json
def handler(event, context):
    entry = {"Source": "sender", "DetailType": "Hello", "Detail": json.dumps(event)}
    return boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"]
"""


def allowing(service: str, action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_an_upload_becomes_a_message_of_a_topic_in_a_queue(lambent: Lambent) -> None:
    s3, events, sns, sqs = (lambent.client(service) for service in ("s3", "events", "sns", "sqs"))
    name = lambent.new_name("graph")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = f"arn:aws:sqs:us-east-1:{lambent.account_id}:{name}"
    policy = allowing("sns.amazonaws.com", "sqs:SendMessage", queue_arn)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=allowing("events.amazonaws.com", "sns:Publish", topic),
    )
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail": {"bucket": {"name": [name]}, "object": {"key": [{"suffix": ".txt"}]}},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    template = '"<key> came into <bucket>"'
    paths = {"key": "$.detail.object.key", "bucket": "$.detail.bucket.name"}
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    events.put_targets(Rule=name, Targets=[{"Id": "topic", "Arn": topic, "InputTransformer": transformer}])
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket=name, Key="a.jpg", Body=b"x")
    s3.put_object(Bucket=name, Key="a.txt", Body=b"x")

    def messages() -> Any:
        return sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")

    (message,) = eventually(messages)
    assert message["Body"] == f'"a.txt came into {name}"'


def test_a_function_tells_another_by_an_event(lambent: Lambent) -> None:
    events, listener, name = lambent.client("events"), lambent.python(TELL), lambent.new_name("rule")
    role_name = lambent.new_name("sender")
    role = lambent.make_role(role_name, TRUST)
    may = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    lambent.iam.put_role_policy(RoleName=role_name, PolicyName="may", PolicyDocument=policy)
    sender = lambent.python(SEND, Role=role, Timeout=30)
    rule = events.put_rule(Name=name, EventPattern='{"source": ["sender"]}')["RuleArn"]
    arn = lambent.lambda_.get_function(FunctionName=listener)["Configuration"]["FunctionArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "f", "Arn": arn, "InputPath": "$.detail"}])
    lambent.lambda_.add_permission(
        FunctionName=listener,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    assert lambent.call(sender, {"number": 7}) == 0
    assert eventually(
        lambda: [line for line in lambent.log_lines(f"/aws/lambda/{listener}") if line.startswith("got ")]
    ) == ['got {"number": 7}\n']
