"""The examples, deployed by their own scripts and used as their READMEs say."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
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


def test_nightly_report(lambent: Lambent) -> None:
    deploy(lambent, "nightly_report")
    deploy(lambent, "nightly_report")
    s3, sqs, scheduler = (lambent.client(service) for service in ("s3", "sqs", "scheduler"))
    bucket = f"nightly-report-{lambent.account_id}"
    made = scheduler.get_schedule(Name="nightly-report")
    assert (made["ScheduleExpression"], made["ScheduleExpressionTimezone"]) == (
        "cron(30 2 * * ? *)",
        "Europe/Berlin",
    )
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for number, total in enumerate((40, 2)):
        body = json.dumps({"total": total}).encode()
        s3.put_object(Bucket=bucket, Key=f"sales/{yesterday}/{number}.json", Body=body)
    # The night is now.
    settings = {name: made[name] for name in ("Name", "Target", "FlexibleTimeWindow")}
    scheduler.update_schedule(**settings, ScheduleExpression="rate(1 day)")
    (notice,) = eventually(lambda: receive(sqs, "reports"))
    report = {"day": str(yesterday), "sales": 2, "total": 42}
    assert json.loads(notice) == {**report, "key": f"reports/{yesterday}.json"}
    stored = s3.get_object(Bucket=bucket, Key=f"reports/{yesterday}.json")["Body"].read()
    assert json.loads(stored) == report
    assert receive(sqs, "reports-dead") == []
    scheduler.delete_schedule(Name="nightly-report")
