"""Adds up the sales of the day before a time, writes a report of them, and says that it is there."""

import json
import os
from datetime import datetime, timedelta

import boto3

s3, events = boto3.client("s3"), boto3.client("events")
BUCKET = os.environ["BUCKET"]


def handler(event, context):
    day = datetime.fromisoformat(event["time"].replace("Z", "+00:00")).date() - timedelta(days=1)
    totals = [sale["total"] for sale in sales(day)]
    report = {"day": str(day), "sales": len(totals), "total": sum(totals)}
    key = f"reports/{day}.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report).encode(), ContentType="application/json")
    entry = {
        "Source": "nightly-report",
        "DetailType": "Report ready",
        "Detail": json.dumps({**report, "key": key}),
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"nobody can be told: {answer['Entries']}")
    print(f"{key}: {report}")


def sales(day):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"sales/{day}/")
    for page in pages:
        for found in page.get("Contents", []):
            yield json.loads(s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read())
