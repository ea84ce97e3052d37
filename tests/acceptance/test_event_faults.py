"""Nothing that was accepted is lost: the server is killed again and again by a seeded schedule, and every event is
accounted for at the end, by the record that its destination was told.

Events run and are told at least once; how many more often is printed, and must stay what the kills can explain."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

SEED = 20_261_127
EVENTS = 120
KILLS = 3
IN_PROGRESS_MOST = 256
"""What one server has in progress at a time, so what one kill can run a second time."""
WORK = (
    "import time\n"
    "def handler(event, context):\n"
    "    time.sleep(event['seconds'])\n"
    "    if event['fails']:\n"
    "        raise ValueError('as asked')\n"
    "    return event['number']\n"
)


def test_every_accepted_event_is_accounted_for(new_server: NewServer) -> None:
    chance = random.Random(SEED)
    lambent = new_server()
    url, name = prepare(lambent)
    accepted: dict[str, dict[str, Any]] = {}
    waiting = [
        {"number": number, "seconds": chance.choice([0, 0.05, 0.2]), "fails": chance.random() < 0.2}
        for number in range(EVENTS)
    ]
    for rounds_left in range(KILLS, 0, -1):
        share = len(waiting) // (rounds_left + 1)
        now, later = waiting[:share], waiting[share:]
        waiting = send_until_killed(lambent, name, now, accepted, chance.uniform(0.1, 1.2)) + later
        lambent.start_again()
    while waiting:
        waiting = send_all(lambent, name, waiting, accepted)
    assert len(accepted) >= EVENTS, "the test itself lost some"

    told: Counter[str] = Counter()
    conditions: dict[str, str] = {}

    def all_told() -> bool:
        for record in receive(lambent, url):
            context = record["requestContext"]
            told[context["requestId"]] += 1
            conditions[context["requestId"]] = context["condition"]
        return set(accepted) <= set(told)

    eventually(all_told, seconds=60)
    for request_id, event in accepted.items():
        assert conditions[request_id] == ("RetriesExhausted" if event["fails"] else "Success")
    duplicates = sum(count - 1 for count in told.values())
    unconfirmed = len(set(told) - set(accepted))
    print(
        f"{len(accepted)} accepted, 0 lost, {duplicates} told twice, {unconfirmed} never confirmed to the sender"
    )
    assert duplicates <= KILLS * IN_PROGRESS_MOST


def prepare(lambent: Lambent) -> tuple[str, str]:
    role = lambent.make_role("may-send")
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    lambent.iam.put_role_policy(
        RoleName="may-send",
        PolicyName="send",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    sqs = lambent.client("sqs")
    url = sqs.create_queue(QueueName="outcomes")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = lambent.python(WORK, Role=role)
    lambent.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=4)
    lambent.lambda_.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}},
    )
    return "outcomes", name


def send_until_killed(
    lambent: Lambent,
    name: str,
    events: list[dict[str, Any]],
    accepted: dict[str, dict[str, Any]],
    seconds: float,
) -> list[dict[str, Any]]:
    """Returns those that were not confirmed: their senders would send them again."""
    with ThreadPoolExecutor(1) as killer:
        killer.submit(lambda: (time.sleep(seconds), lambent.kill()))
        return send_all(lambent, name, events, accepted)


def send_all(
    lambent: Lambent, name: str, events: list[dict[str, Any]], accepted: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    client = lambent.lambda_

    def send(event: dict[str, Any]) -> bool:
        try:
            answer = client.invoke(
                FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
            )
        except (BotoCoreError, ClientError):
            return False
        accepted[answer["ResponseMetadata"]["RequestId"]] = event
        return True

    with ThreadPoolExecutor(4) as senders:
        return [event for event, sent in zip(events, senders.map(send, events), strict=True) if not sent]


def receive(lambent: Lambent, queue: str) -> list[Any]:
    sqs = lambent.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
        "Messages", []
    )
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]
