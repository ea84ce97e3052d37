"""Works off a queue of orders: confirms each, and reports those that it cannot take, so that only these come again."""

import json
import os

import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            confirm(json.loads(record["body"]))
        except (KeyError, TypeError, ValueError) as error:
            print(f"order {record['messageId']} cannot be taken: {error!r}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def confirm(order):
    total = sum(item["price"] * item["count"] for item in order["items"])
    confirmation = {"order": order["id"], "total": total}
    sqs.send_message(QueueUrl=os.environ["CONFIRMATIONS"], MessageBody=json.dumps(confirmation))
    print(f"order {order['id']} is confirmed: {total}")
