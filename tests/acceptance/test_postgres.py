"""A server that keeps its state in PostgreSQL: its own death, and the death of its database."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually
from postgres_server import PostgresServer, new_postgres_server, programs

NewServer = Callable[..., Lambent]
LATER = "import time\ndef handler(event, context):\n    print('ran', event)\n    time.sleep(0.2)\n    return event\n"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """This one dies: no other test may have it."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with new_postgres_server(found) as server:
        yield server


def test_what_was_acknowledged_outlives_the_server(new_server: NewServer, postgres: PostgresServer) -> None:
    lambent = new_server("--database", postgres.new_database())
    assert not (lambent.data_dir / "lambent.db").exists()
    name = lambent.python(LATER)
    assert lambent.call(name, 1) == 1
    sqs = lambent.client("sqs")
    queue = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for text in ("first", "second"):
        sqs.send_message(QueueUrl=queue, MessageBody=text, MessageGroupId="g", MessageDeduplicationId=text)
    for number in range(20):
        lambent.invoke(name, number, InvocationType="Event")
    lambent.kill()
    lambent.start_again()
    sqs = lambent.client("sqs")
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["first", "second"]
    assert lambent.call(name, 2) == 2
    lines = {f"ran {number}\n" for number in range(20)}
    eventually(lambda: lines <= set(lambent.log_lines(f"/aws/lambda/{name}")), seconds=30)


def test_without_the_database_what_is_warm_goes_on_and_all_else_is_worth_a_retry(
    new_server: NewServer, postgres: PostgresServer
) -> None:
    lambent = new_server("--database", postgres.new_database(), "--database-outage-seconds", "0")
    name = lambent.python("def handler(event, context):\n    return event\n")
    assert lambent.call(name, 1) == 1
    impatient = lambent.client("lambda")
    postgres.stop(signal.SIGQUIT)
    assert lambent.call(name, 2) == 2
    with pytest.raises(ClientError) as refused:
        impatient.invoke(FunctionName=name, Payload=b"3", InvocationType="Event")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    postgres.start()

    def accepted() -> bool:
        try:
            return (
                impatient.invoke(FunctionName=name, Payload=b"4", InvocationType="Event")["StatusCode"] == 202
            )
        except ClientError:
            return False

    eventually(accepted)
    assert lambent.client("sqs").create_queue(QueueName="after")["QueueUrl"]


def test_a_database_that_restarts_is_waited_for_and_nothing_is_done_twice(
    new_server: NewServer, postgres: PostgresServer
) -> None:
    lambent = new_server("--database", postgres.new_database(), "--database-outage-seconds", "60")
    sqs = lambent.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]

    def ask(number: int) -> int:
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
        return len(lambent.iam.list_users()["Users"])

    for how in (signal.SIGINT, signal.SIGKILL):
        postgres.stop(how)
        with ThreadPoolExecutor() as callers:
            asked = [callers.submit(ask, number) for number in range(8)]
            eventually(lambda: "the database cannot be reached" in lambent.log)
            postgres.start()
            assert [each.result() for each in asked] == [0] * 8
    depth = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert depth["Attributes"] == {"ApproximateNumberOfMessages": "16"}


def test_a_start_waits_for_the_database(new_server: NewServer, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    lambent = new_server("--database", url)
    lambent.stop()
    postgres.stop(signal.SIGQUIT)
    with ThreadPoolExecutor(1) as starter:
        starting = starter.submit(lambent.start_again)
        eventually(lambda: "waiting for the database, for" in lambent.log)
        assert not starting.done()
        postgres.start()
        starting.result()
    assert lambent.account_id
