"""From SendMessage to a function's handler through an event source mapping, beside a synchronous invocation.

Run: ./dev bench sqs_to_lambda [--messages 200]

Each message carries the time at which it was sent, and the handler logs how long ago that was: both clocks are this
machine's. One message at a time, so that nothing queues; invocations of the same function take turns with messages.
Then a backlog is worked off, in batches of ten.
"""

import argparse
import json
import statistics
import sys
import time
from typing import Any

from benchmarks.deployment import ROLE, Deployment, deployment

_MEDIAN_MOST_MS = 30.0
_SOURCE = b"""
import time

def handler(event, context):
    now = time.time()
    if "Records" not in event:
        print("invoked", (now - event["sent_at"]) * 1000)
    for record in event.get("Records", ()):
        print("delivered", (now - float(record["body"])) * 1000)
"""
_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
_PACE_SECONDS = 0.01
_BACKLOG = 2000


def prepare(deployed: Deployment) -> tuple[Any, str]:
    """A queue and a function that works it off: the client of SQS, and the queue's URL."""
    deployed.client("iam").attach_role_policy(RoleName=ROLE, PolicyArn=_POLICY)
    deployed.create("consumer", {"app.py": _SOURCE}, f"python3.{sys.version_info.minor}")
    sqs = deployed.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deployed.functions.create_event_source_mapping(FunctionName="consumer", EventSourceArn=arn)
    return sqs, url


def measure(deployed: Deployment, sqs: Any, url: str, messages: int) -> dict[str, list[float]]:
    """Milliseconds, by how the handler was called."""
    for _ in range(messages):
        sqs.send_message(QueueUrl=url, MessageBody=str(time.time()))
        time.sleep(_PACE_SECONDS)
        event = json.dumps({"sent_at": time.time()})
        deployed.functions.invoke(FunctionName="consumer", Payload=event)
        time.sleep(_PACE_SECONDS)
    wait_until_empty(sqs, url)
    time.sleep(1.0)  # log lines are stored in batches
    found: dict[str, list[float]] = {"delivered": [], "invoked": []}
    pages = deployed.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName="/aws/lambda/consumer"):
        for event in page["events"]:
            how, _, value = event["message"].partition(" ")
            if how in found:
                found[how].append(float(value))
    return found


def work_off(sqs: Any, url: str, count: int) -> float:
    """Messages a second, from the first that is sent until the queue is empty."""
    begun = time.monotonic()
    for _ in range(count // 10):
        entries = [{"Id": str(number), "MessageBody": str(time.time())} for number in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    wait_until_empty(sqs, url)
    return count / (time.monotonic() - begun)


def wait_until_empty(sqs: Any, url: str) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while any(
        int(value)
        for value in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
    ):
        time.sleep(0.01)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=200)
    arguments = parser.parse_args()
    with deployment() as deployed:
        sqs, url = prepare(deployed)
        measure(deployed, sqs, url, 5)
        found = measure(deployed, sqs, url, arguments.messages)
        rate = work_off(sqs, url, _BACKLOG)
    for how, values in found.items():
        p99 = sorted(values)[int(len(values) * 0.99)]
        print(f"{how:<10} {statistics.median(values):6.1f} median {p99:7.1f} p99 ms, of {len(values)}")
    median, floor = statistics.median(found["delivered"]), statistics.median(found["invoked"])
    print(f"backlog    {rate:6.0f} messages/s sent and worked off")
    held = median <= _MEDIAN_MOST_MS
    print(
        f"{'ok' if held else 'MISS'}: {median:.1f} ms, {median / floor:.2f} x a synchronous invocation "
        f"(wanted: at most {_MEDIAN_MOST_MS:g} ms)"
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
