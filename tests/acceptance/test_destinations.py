"""Where the outcome of an asynchronous invocation goes, with the real services."""

import json
from typing import Any

import pytest
from lambent_server import Lambent, eventually

WORK = (
    "def handler(event, context):\n"
    "    if event.get('fail'):\n"
    "        raise ValueError('no')\n"
    "    return {'doubled': event['n'] * 2}\n"
)


@pytest.fixture(scope="module")
def role(lambent: Lambent) -> str:
    """One that may send anywhere."""
    arn = lambent.make_role("may-send")
    allowed = ["sqs:SendMessage", "sns:Publish", "lambda:InvokeFunction", "events:PutEvents", "s3:PutObject"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    lambent.iam.put_role_policy(
        RoleName="may-send",
        PolicyName="send",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return arn


def new_queue(lambent: Lambent) -> tuple[str, str]:
    """Its URL and ARN."""
    sqs = lambent.client("sqs")
    url = sqs.create_queue(QueueName=lambent.new_name("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def receive(lambent: Lambent, url: str) -> dict[str, Any]:
    received = lambent.client("sqs").receive_message(
        QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    )
    (message,) = received["Messages"]
    return dict(message)


def send(lambent: Lambent, name: str, event: Any) -> str:
    answer = lambent.lambda_.invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    return str(answer["ResponseMetadata"]["RequestId"])


def configure(lambent: Lambent, name: str, **destinations: str) -> None:
    lambent.lambda_.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={kind: {"Destination": arn} for kind, arn in destinations.items()},
    )


def test_a_queue_is_told_of_success_and_failure(lambent: Lambent, role: str) -> None:
    url, arn = new_queue(lambent)
    name = lambent.python(WORK, Role=role)
    configure(lambent, name, OnSuccess=arn, OnFailure=arn)
    request_id = send(lambent, name, {"n": 21})
    message = receive(lambent, url)
    record = json.loads(message["Body"])
    function_arn = f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}:$LATEST"
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 21},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"doubled": 42},
    }
    assert "Lineage=" in message["Attributes"]["AWSTraceHeader"]
    send(lambent, name, {"fail": True})
    record = json.loads(receive(lambent, url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no"


def test_a_dead_letter_is_the_event_with_what_became_of_it(lambent: Lambent, role: str) -> None:
    url, arn = new_queue(lambent)
    name = lambent.python(WORK, Role=role, DeadLetterConfig={"TargetArn": arn})
    request_id = send(lambent, name, {"fail": True})
    message = receive(lambent, url)
    assert json.loads(message["Body"]) == {"fail": True}
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no"}


def test_a_function_is_told_as_its_event(lambent: Lambent, role: str) -> None:
    teller = lambent.python("def handler(event, context): print('told', event['responsePayload'])\n")
    name = lambent.python(WORK, Role=role)
    configure(
        lambent,
        name,
        OnSuccess=lambent.lambda_.get_function(FunctionName=teller)["Configuration"]["FunctionArn"],
    )
    send(lambent, name, {"n": 4})
    eventually(lambda: "told {'doubled': 8}\n" in lambent.log_lines(f"/aws/lambda/{teller}"))


def test_a_bus_is_told(lambent: Lambent, role: str) -> None:
    url, queue_arn = new_queue(lambent)
    sqs, events = lambent.client("sqs"), lambent.client("events")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    rule = lambent.new_name("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": queue_arn}])
    name = lambent.python(WORK, Role=role)
    configure(lambent, name, OnSuccess=f"arn:aws:events:us-east-1:{lambent.account_id}:event-bus/default")
    send(lambent, name, {"n": 1})
    event = json.loads(receive(lambent, url)["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["detail"]["responsePayload"] == {"doubled": 2}
    assert event["resources"][1].endswith(f"function:{name}:$LATEST")


def test_a_bucket_keeps_failures(lambent: Lambent, role: str) -> None:
    s3 = lambent.client("s3")
    bucket = lambent.new_name("bucket")
    s3.create_bucket(Bucket=bucket)
    name = lambent.python(WORK, Role=role)
    configure(lambent, name, OnFailure=f"arn:aws:s3:::{bucket}")
    send(lambent, name, {"fail": True})
    (found,) = eventually(lambda: s3.list_objects_v2(Bucket=bucket).get("Contents"))
    assert found["Key"].startswith(f"aws/lambda/async/{name}/2")
    record = json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert record["requestPayload"] == {"fail": True}


def test_a_closed_function_sends_its_events_straight_to_failure(lambent: Lambent, role: str) -> None:
    url, arn = new_queue(lambent)
    name = lambent.python(WORK, Role=role)
    configure(lambent, name, OnFailure=arn)
    lambent.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send(lambent, name, {"n": 1})
    context = json.loads(receive(lambent, url)["Body"])["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("ZeroReservedConcurrency", 0)


def test_a_role_that_may_not_send_is_refused(lambent: Lambent) -> None:
    _, arn = new_queue(lambent)
    name = lambent.python(WORK)
    with pytest.raises(
        lambent.lambda_.exceptions.InvalidParameterValueException,
        match="The function's execution role does not have permissions to call SendMessage on arn:aws:sqs",
    ):
        configure(lambent, name, OnSuccess=arn)


def test_a_loop_through_invocations_ends_after_sixteen_turns(lambent: Lambent, role: str) -> None:
    """The function's SDK passes the header on, as those in the runtimes do."""
    url, arn = new_queue(lambent)
    source = (
        "import boto3, os\n"
        "client = boto3.client('lambda')\n"
        "def handler(event, context):\n"
        "    print('turn')\n"
        "    client.invoke(FunctionName=context.function_name, InvocationType='Event', Payload=b'{}')\n"
    )
    name = lambent.python(source, Role=role, Timeout=30)
    configure(lambent, name, OnFailure=arn)
    send(lambent, name, {})
    record = json.loads(receive(lambent, url)["Body"])
    assert record["requestContext"]["condition"] == "RecursiveInvocation"
    group = f"/aws/lambda/{name}"
    assert eventually(lambda: sum(line == "turn\n" for line in lambent.log_lines(group)) == 16)


def test_a_queue_keeps_the_trace_of_what_a_function_sends(lambent: Lambent, role: str) -> None:
    """So that loops through queues can be found."""
    url, _ = new_queue(lambent)
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=event, MessageBody='x')\n"
    )
    name = lambent.python(source, Role=role, Timeout=30)
    lambent.call(name, url)
    assert "Lineage=" in receive(lambent, url)["Attributes"]["AWSTraceHeader"]
