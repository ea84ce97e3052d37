"""The examples, deployed by their own scripts and used as their READMEs say."""

import base64
import json
import os
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import REGION, Lambent, eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
GREY_JPEG = zlib.decompress(
    base64.b85decode(
        b"c-s4a<NpH&0WUXCHwH#V1_nkTWcYuZ!I|MdrQiSqHwWVbrUphvL5BZF803M5voeAK0~9baF|)9;v2$>8aRU`>6<}auWM*b!VP<7z"
        b"VFAk40_7Q41X+a?4ISBp0~6Vm3Pp?>CobercG`GQH0a_772~9$CQdFfaS2H&RW)@DO)V2sGjj_|D`yv1H+K(Dui%i-u<(e;sN|H?"
        b"wDgS3tm2Z=vhs?`s^*r~w)T$Bu1S-pOr17;#>`oZ7B5-4Z25|nt2S-kvUS_`9Xod&I(+2lvEwIBp1O4T%GGPvZ`{1~@X_NZPoF)1"
        b"@$%KjPoKYh{r3IG&tLy<F>rwVW6z+msB09BqER%8M$sr5MWbjGjiOOBibl~0ME`FB0HBQA-2"
    )
)
"""640 by 480."""


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
    confirmed: list[Any] = []
    dead: list[Any] = []

    def confirmations() -> list[Any]:
        confirmed.extend(json.loads(body) for body in receive(sqs, "confirmations"))
        return confirmed

    def dead_letters() -> list[Any]:
        dead.extend(receive(sqs, "orders-dead"))
        return dead

    # Text that is no JSON cannot be an order that somebody means: the filter wants JSON.
    for body in (
        "not an order",
        '{"id": 2, "items": [], "test": true}',
        '{"id": 1, "items": [{"price": 7, "count": 6}]}',
    ):
        sqs.send_message(QueueUrl=orders, MessageBody=body)
    eventually(confirmations, seconds=20)
    # So that three tries are soon over; an order that takes longer than that would be tried beside itself.
    sqs.set_queue_attributes(QueueUrl=orders, Attributes={"VisibilityTimeout": "1"})
    sqs.send_message(QueueUrl=orders, MessageBody='{"id": 3}')
    eventually(dead_letters, seconds=20)
    assert confirmations() == [{"order": 1, "total": 42}] and dead_letters() == ['{"id": 3}']
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


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height, as its frame header says."""
    frame = jpeg.index(b"\xff\xc0")
    return int.from_bytes(jpeg[frame + 7 : frame + 9]), int.from_bytes(jpeg[frame + 5 : frame + 7])


def test_image_pipeline(lambent: Lambent) -> None:
    try:
        deploy(lambent, "image_pipeline")
    except AssertionError as failed:
        if "No matching distribution found for pillow" in str(failed):
            pytest.skip("pip cannot fetch Pillow here")
        raise
    deploy(lambent, "image_pipeline")
    assert len(lambent.lambda_.list_layer_versions(LayerName="pillow")["LayerVersions"]) == 1
    s3, sqs = lambent.client("s3"), lambent.client("sqs")
    images = f"image-pipeline-{lambent.account_id}"
    s3.put_object(Bucket=images, Key="in the hills.jpg", Body=GREY_JPEG)
    s3.put_object(Bucket=images, Key="broken.jpg", Body=b"no image")
    s3.put_object(Bucket=images, Key="notes.txt", Body=b"nobody is told of me")

    def thumbnail() -> Any:
        try:
            return s3.get_object(Bucket=f"{images}-thumbnails", Key="in the hills.jpg")
        except ClientError:
            return None

    found = eventually(thumbnail, seconds=20)
    assert (found["ContentType"], found["Metadata"]) == ("image/jpeg", {"original-size": "640x480"})
    assert size_of(found["Body"].read()) == (256, 192)
    (dead,) = eventually(lambda: receive(sqs, "images-dead"), seconds=20)
    letter = json.loads(dead)
    assert letter["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "broken.jpg"
    assert letter["responsePayload"]["errorType"] == "UnidentifiedImageError"
    assert letter["requestContext"]["approximateInvokeCount"] == 2
    assert s3.list_objects_v2(Bucket=f"{images}-thumbnails")["KeyCount"] == 1
