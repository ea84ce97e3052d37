"""The examples, deployed by their own scripts and used as their READMEs say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lambent_server import REGION, Lambent, eventually

EXAMPLES = Path(__file__).parents[2] / "examples"


def deploy(lambent: Lambent, example: str) -> None:
    keys = {
        "AWS_ENDPOINT_URL": lambent.endpoint,
        "AWS_ACCESS_KEY_ID": lambent.server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lambent.server.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
    }
    script = EXAMPLES / example / "deploy.py"
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | keys,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def receive(sqs: Any, name: str) -> list[Any]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def test_order_queue(lambent: Lambent) -> None:
    deploy(lambent, "order_queue")
    sqs = lambent.client("sqs")
    orders = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sqs.set_queue_attributes(
        QueueUrl=orders, Attributes={"VisibilityTimeout": "1"}
    )  # so that three tries are soon over
    for body in (
        '{"id": 1, "items": [{"price": 7, "count": 6}]}',
        '{"id": 2, "items": [], "test": true}',
        '{"id": 3}',
        "not an order",
    ):
        sqs.send_message(QueueUrl=orders, MessageBody=body)
    confirmed: list[Any] = []
    dead: list[Any] = []

    def over() -> bool:
        confirmed.extend(json.loads(body) for body in receive(sqs, "confirmations"))
        dead.extend(receive(sqs, "orders-dead"))
        # Text that is no JSON cannot be an order that somebody means: the filter wants JSON.
        return len(confirmed) == 1 and len(dead) == 1

    eventually(over, seconds=20)
    assert confirmed == [{"order": 1, "total": 42}] and dead == ['{"id": 3}']
    deploy(lambent, "order_queue")
    mappings = lambent.lambda_.list_event_source_mappings(FunctionName="order-queue")["EventSourceMappings"]
    assert len(mappings) == 1
