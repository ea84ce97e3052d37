"""Two servers on one database, as their users see them."""

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cut_network import CutNetwork
from lambent_server import Lambent, eventually, zip_of
from postgres_server import PostgresServer, new_postgres_server
from postgres_server import programs as postgres_programs
from two_nodes import alive, start_nodes, status

TAKEN_OVER_SECONDS = 15.0
WRITE = """
import json, os, time
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    return event["n"]
"""


@pytest.fixture(params=["sqlite", "postgres"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lambent, Lambent]]:
    database = None
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_server").new_database()
    few = ("--account-concurrency", "20")
    nodes = start_nodes(tmp_path, "a", "b", database=database, arguments=dict.fromkeys("ab", few))
    yield nodes["a"], nodes["b"]
    for node in nodes.values():
        if node.server.process.poll() is None:
            node.server.process.send_signal(signal.SIGCONT)
        node.stop()
        assert not node.leftovers()
        assert "Traceback" not in node.log, node.log[-8000:]


def test_nodes_are_one_service(pair: tuple[Lambent, Lambent]) -> None:
    a, b = pair
    assert a.server.access_key_id == b.server.access_key_id
    assert a.account_id == b.account_id

    # A function that is made on one is invoked on the other, and its changes are seen there.
    name = a.python("def handler(event, context): return 1\n")
    assert b.call(name) == 1
    a.update_code(name, {"index.py": "def handler(event, context): return 2\n"})
    eventually(lambda: b.call(name) == 2, seconds=5)
    b.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    eventually(lambda: _refusal(a, name) == "TooManyRequestsException", seconds=5)
    b.lambda_.delete_function(FunctionName=name)
    eventually(lambda: _refusal(a, name) == "ResourceNotFoundException", seconds=5)

    # What a service holds in memory, too.
    url = a.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    sqs = b.client("sqs")
    a.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
    assert [message["Body"] for message in received["Messages"]] == ["hello"]
    with ThreadPoolExecutor(1) as waiting:
        answer = waiting.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        a.client("sqs").send_message(QueueUrl=url, MessageBody="to who waits on the other")
        assert [message["Body"] for message in answer.result()["Messages"]] == ["to who waits on the other"]
    _replay(a, b)
    a.client("s3").create_bucket(Bucket="shared")
    s3 = b.client("s3")
    s3.put_object(Bucket="shared", Key="k", Body=b"bytes")
    assert a.client("s3").get_object(Bucket="shared", Key="k")["Body"].read() == b"bytes"

    # Each lease has one holder, and both nodes see the same.
    holders = {lease: node["id"] for node in status(a)["nodes"] for lease in node["leases"]}
    assert holders["run schedules"] in ("a", "b")


def _replay(a: Lambent, b: Lambent) -> None:
    """A topic's archive is replayed to subscriptions of both nodes, whichever of them does it."""
    archive = {"FifoTopic": "true", "ArchivePolicy": '{"MessageRetentionPeriod": "1"}'}
    topic = a.client("sns").create_topic(Name="archived.fifo", Attributes=archive)["TopicArn"]
    a.client("sns").publish(
        TopicArn=topic, MessageGroupId="g", MessageDeduplicationId="d", Message="of the archive"
    )
    eventually(lambda: topic in str(b.client("sns").list_topics()), seconds=5)
    policy = json.dumps({"PointType": "Timestamp", "StartingPoint": "2020-01-01T00:00:00.000Z"})
    for node, name in ((a, "first.fifo"), (b, "second.fifo")):
        arn = f"arn:aws:sqs:us-east-1:{a.account_id}:{name}"
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        attributes = {"FifoQueue": "true", "Policy": json.dumps({"Statement": [allowed]})}
        url = node.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        node.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"ReplayPolicy": policy}
        )
        received = node.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        assert [json.loads(one["Body"])["Message"] for one in received] == ["of the archive"]


def test_events_of_a_killed_node_run_on_the_other(pair: tuple[Lambent, Lambent]) -> None:
    a, b = pair
    queue = a.client("sqs").create_queue(QueueName="results")["QueueUrl"]
    arn = a.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    role = a.make_role("sender")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    a.iam.put_role_policy(RoleName="sender", PolicyName="p", PolicyDocument=json.dumps(allow))
    name = a.python(WRITE, Role=role, Timeout=60)
    destination = {"OnSuccess": {"Destination": arn["Attributes"]["QueueArn"]}}
    a.lambda_.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destination)
    for number in range(40):
        payload = json.dumps({"n": number, "seconds": 1.0 if number % 2 else 0.0})
        assert (
            a.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=payload)["StatusCode"] == 202
        )
    a.kill()
    killed_at = time.monotonic()

    sqs, seen = b.client("sqs"), set()
    while len(seen) < 40 and time.monotonic() - killed_at < 60:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in received.get("Messages", ()):
            seen.add(json.loads(message["Body"])["responsePayload"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert seen == set(range(40)), "an accepted event was lost"
    eventually(lambda: alive(b) == ["b"], seconds=TAKEN_OVER_SECONDS)
    eventually(lambda: _holds_all(b), seconds=TAKEN_OVER_SECONDS)
    assert b.call(name, {"n": 7}) == 7

    a.start_again()
    eventually(lambda: sorted(alive(b)) == ["a", "b"])
    assert a.call(name, {"n": 8}) == 8


def test_a_node_that_was_stopped_comes_back_as_another_incarnation(pair: tuple[Lambent, Lambent]) -> None:
    a, b = pair
    a.server.process.send_signal(signal.SIGSTOP)
    eventually(lambda: [node["id"] for node in status(b)["nodes"]] == ["b"], seconds=TAKEN_OVER_SECONDS)
    eventually(lambda: _holds_all(b), seconds=TAKEN_OVER_SECONDS)
    a.server.process.send_signal(signal.SIGCONT)
    eventually(lambda: sorted(alive(b)) == ["a", "b"])
    eventually(lambda: status(a)["member"])
    assert "node a was taken for dead; it joins again" in a.log
    name = b.deploy(zip_of({"index.py": "def handler(event, context): return 3\n"}))
    eventually(lambda: a.call(name) == 3)


def _refusal(node: Lambent, name: str) -> str | None:
    try:
        node.lambda_.invoke(FunctionName=name)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def _holds_all(node: Lambent) -> bool:
    (member,) = [one for one in status(node)["nodes"] if one["alive"]]
    return {"run schedules", "run durable executions", "look at alarms"} <= set(member["leases"])


def test_the_database_goes_away_and_comes_back(tmp_path: Path) -> None:
    found = postgres_programs()
    if found is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with new_postgres_server(found) as postgres:
        nodes = start_nodes(tmp_path, "a", "b", database=postgres.new_database())
        a, b = nodes["a"], nodes["b"]
        try:
            name = a.python("def handler(event, context): return event\n")
            assert [a.call(name, 1), b.call(name, 1)] == [1, 1]
            accepted = [_accepted(a, name, number) for number in range(5)]
            assert all(accepted)
            postgres.stop(signal.SIGQUIT)

            def warm_goes_on() -> bool:
                """Whether no node is a member any more."""
                assert [a.call(name, 2), b.call(name, 2)] == [2, 2], "what is warm needs no database"
                return not any(status(node)["member"] for node in nodes.values())

            eventually(warm_goes_on)
            assert not _accepted(a, name, 6), "what cannot be stored must not be accepted"
            assert status(a)["database"] != "ok" and not status(a)["member"]
            postgres.start()
            eventually(lambda: sorted(alive(a)) == ["a", "b"], seconds=TAKEN_OVER_SECONDS)
            eventually(lambda: _accepted(b, name, 7))
            assert "is gone: what it had is taken over" not in a.log + b.log
        finally:
            for node in nodes.values():
                node.stop()
                assert not node.leftovers()


def test_a_node_that_is_cut_off_alone_leaves_its_part_of_a_limit_to_others(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    network = CutNetwork(postgres_server.socket)
    url = postgres_server.new_database()
    few = ("--account-concurrency", "102")  # AWS keeps 100 for what has nothing of its own
    nodes = start_nodes(
        tmp_path,
        *("a", "b"),
        databases={"a": url, "b": postgres_server.at_port(url, network.port)},
        arguments=dict.fromkeys("ab", few),
    )
    a, b = nodes["a"], nodes["b"]
    try:
        name = a.python("def handler(event, context): return 1\n")
        assert b.call(name) == a.call(name) == 1
        a.update_code(name, {"index.py": "def handler(event, context): return event\n"})
        eventually(lambda: b.call(name, 2) == 2)  # what it has heard of it is the last there is to hear
        version = f"{name}:{provision_one_on_each(a, name)}"
        eventually(lambda: b.call(version, 3) == 3)
        network.cut()
        eventually(lambda: not status(b)["member"], seconds=TAKEN_OVER_SECONDS)
        eventually(lambda: set(*status(a)["limits"].values()) == {"a"}, seconds=TAKEN_OVER_SECONDS)
        before = _invocations(a)
        eventually(lambda: b.call(name, 2) == 2 and _invocations(a) > before)
        before = _invocations(a)
        eventually(lambda: b.call(version, 3) == 3 and _invocations(a) > before)
        network.mend()
        eventually(lambda: sorted(alive(a)) == ["a", "b"], seconds=TAKEN_OVER_SECONDS)
        eventually(lambda: set(*status(a)["limits"].values()) == {"a", "b"})
    finally:
        for node in nodes.values():
            node.stop()
            assert not node.leftovers()
        network.close()


def provision_one_on_each(node: Lambent, name: str) -> str:
    """Returns the version."""
    version = str(node.lambda_.publish_version(FunctionName=name)["Version"])
    node.wait_active(name, version)
    what = {"FunctionName": name, "Qualifier": version}
    node.lambda_.put_provisioned_concurrency_config(**what, ProvisionedConcurrentExecutions=2)
    eventually(lambda: node.lambda_.get_provisioned_concurrency_config(**what)["Status"] == "READY")
    return version


def _invocations(node: Lambent) -> float:
    """Those that ran on this node, since it was started."""
    with urllib.request.urlopen(node.endpoint + "/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    ran = [
        line for line in lines if line.startswith("aws_lambda_invocations_total{") and "function_name" in line
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in ran)


def _accepted(node: Lambent, name: str, number: int) -> bool:
    try:
        answer = node.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(number))
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
        return False
    return bool(answer["StatusCode"] == 202)
