"""EventBridge Pipes as their users meet them: from a queue, by way of functions, to other queues and buses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

TELL = "import json\ndef handler(event, context):\n    print('got ' + json.dumps(event))\n"
TWICE = "def handler(event, context):\n    return [{'n': 2 * each['n'], 'from': each['pipe']} for each in event]\n"
FAIL_ONCE = """import json
def handler(event, context):
    print('got ' + json.dumps(event))
    bad = [each for each in event if each['body'] == 'bad']
    once = [each for each in bad if each['attributes']['ApproximateReceiveCount'] == '1']
    return {'batchItemFailures': [{'itemIdentifier': each['messageId']} for each in once]}
"""


class Bench:
    def __init__(self, lambent: Lambent) -> None:
        self.lambent = lambent
        self.pipes, self.sqs = lambent.client("pipes"), lambent.client("sqs")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "pipes.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        name = lambent.new_name("role")
        self.role = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [trust]})
        actions = ["sqs:*", "lambda:InvokeFunction", "events:PutEvents"]
        may = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        lambent.iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)

    def queue(self, **attributes: str) -> tuple[str, str]:
        name = self.lambent.new_name("q")
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:{self.lambent.account_id}:{name}"

    def function(self, code: str) -> tuple[str, str]:
        name = self.lambent.python(code)
        return name, f"arn:aws:lambda:us-east-1:{self.lambent.account_id}:function:{name}"

    def pipe(self, source: str, target: str, **members: Any) -> str:
        name = self.lambent.new_name("pipe")
        self.pipes.create_pipe(Name=name, Source=source, Target=target, RoleArn=self.role, **members)
        self.wait(name, "RUNNING")
        return name

    def wait(self, name: str, state: str) -> None:
        eventually(lambda: self.pipes.describe_pipe(Name=name)["CurrentState"] == state)

    def messages(self, url: str) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return list(found.get("Messages", []))

    def left(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def got(self, function: str) -> list[Any]:
        lines = self.lambent.log_lines(f"/aws/lambda/{function}")
        return [json.loads(line.removeprefix("got ")) for line in lines if line.startswith("got ")]


def test_messages_reach_a_function_and_those_that_it_fails_come_again(lambent: Lambent) -> None:
    bench = Bench(lambent)
    url, queue = bench.queue(VisibilityTimeout="3")
    name, function = bench.function(FAIL_ONCE)
    pipe = bench.pipe(queue, function)
    for body in ("good", "bad"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)

    def bodies() -> list[str]:
        return [each["body"] for batch in bench.got(name) for each in batch]

    eventually(lambda: bodies().count("bad") >= 2 and "good" in bodies(), seconds=30)
    eventually(lambda: bench.left(url) == 0, seconds=30)
    bench.pipes.delete_pipe(Name=pipe)


def test_what_a_filter_lets_through_is_enriched_and_sent_on(lambent: Lambent) -> None:
    bench = Bench(lambent)
    (url, queue), (target_url, target) = bench.queue(), bench.queue()
    _, enrichment = bench.function(TWICE)
    group = lambent.new_name("/pipes/g")
    lambent.logs.create_log_group(logGroupName=group)
    logs = {"LogGroupArn": f"arn:aws:logs:us-east-1:{lambent.account_id}:log-group:{group}"}
    pipe = bench.pipe(
        queue,
        target,
        SourceParameters={
            "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"n": [{"numeric": [">", 1]}]}}'}]}
        },
        Enrichment=enrichment,
        EnrichmentParameters={"InputTemplate": '{"n": <$.body.n>, "pipe": <aws.pipes.pipe-name>}'},
        TargetParameters={"InputTemplate": '{"twice": <$.n>, "from": "<$.from>"}'},
        LogConfiguration={"Level": "INFO", "CloudwatchLogsLogDestination": logs},
    )
    for number in (1, 2):
        bench.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"n": number}))
    (message,) = eventually(lambda: bench.messages(target_url))
    assert json.loads(message["Body"]) == {"twice": 4, "from": pipe}
    lines = eventually(lambda: lambent.log_lines(group))
    assert json.loads(lines[-1])["messageType"] == "ExecutionSucceeded"
    bench.pipes.delete_pipe(Name=pipe)


def test_a_pipe_stops_starts_and_ends(lambent: Lambent) -> None:
    bench = Bench(lambent)
    (url, queue), (target_url, target) = bench.queue(), bench.queue()
    pipe = bench.pipe(queue, target, TargetParameters={"InputTemplate": "<$.body>"})
    assert bench.pipes.stop_pipe(Name=pipe)["CurrentState"] == "STOPPING"
    bench.wait(pipe, "STOPPED")
    bench.sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert bench.pipes.start_pipe(Name=pipe)["CurrentState"] == "STARTING"
    (message,) = eventually(lambda: bench.messages(target_url))
    assert message["Body"] == "hello"
    bench.wait(pipe, "RUNNING")
    assert bench.pipes.delete_pipe(Name=pipe)["DesiredState"] == "DELETED"
    with pytest.raises(ClientError, match=f"Pipe {pipe} does not exist"):
        eventually(lambda: bench.pipes.describe_pipe(Name=pipe)["CurrentState"] == "gone")


def test_a_pipe_goes_on_after_a_kill_of_the_server(new_server: NewServer) -> None:
    lambent = new_server()
    bench = Bench(lambent)
    (_, queue), (_, target) = bench.queue(), bench.queue()
    pipe = bench.pipe(queue, target, TargetParameters={"InputTemplate": "<$.body>"})
    lambent.kill()
    lambent.start_again()
    sqs = lambent.client("sqs")
    url, target_url = (
        sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"] for arn in (queue, target)
    )
    sqs.send_message(QueueUrl=url, MessageBody="after")
    found = eventually(lambda: sqs.receive_message(QueueUrl=target_url, WaitTimeSeconds=1).get("Messages"))
    assert [message["Body"] for message in found] == ["after"]
    assert lambent.client("pipes").describe_pipe(Name=pipe)["CurrentState"] == "RUNNING"
