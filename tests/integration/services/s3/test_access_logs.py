"""Requests of a bucket are told to another one, in S3's form of a line."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambent.model.error import ServiceException

Call = Callable[..., Awaitable[dict[str, Any]]]


async def log_to(call: Call, target: str, **more: Any) -> None:
    enabled = {"TargetBucket": target, "TargetPrefix": "logs/", **more}
    await call("PutBucketLogging", BucketLoggingStatus={"LoggingEnabled": enabled})


async def logged(call: Call) -> list[str]:
    found = (await call("ListObjectsV2", Bucket="logbook")).get("Contents", ())
    keys = [one["Key"] for one in found]
    bodies = [(await call("GetObject", Bucket="logbook", Key=key))["Body"].decode() for key in keys]
    return [*keys, *(line for body in bodies for line in body.splitlines())]


async def test_requests_are_logged_with_their_outcome(made, call):
    await call("CreateBucket", Bucket="logbook")
    await call("PutObject", Key="before", Body=b"x")
    await log_to(call, "logbook")
    await call("PutObject", Key="a b", Body=b"x")
    with pytest.raises(ServiceException):
        await call("GetObject", Key="missing")
    await made.logs.flush()
    key, put, get = await logged(call)
    assert key.startswith("logs/2023-11-14-22-13-20-")
    assert put.split(" ")[1:3] == ["shelf", "[14/Nov/2023:22:13:20"]
    assert 'REST.PUT.OBJECT a%20b "PUT /shelf/a%20b HTTP/1.1" 200 - ' in put
    assert 'REST.GET.OBJECT missing "GET /shelf/missing HTTP/1.1" 404 NoSuchKey ' in get
    await made.logs.flush()
    assert len(await logged(call)) == 3


async def test_logs_may_be_put_by_their_day(made, call):
    await call("CreateBucket", Bucket="logbook")
    await log_to(call, "logbook", TargetObjectKeyFormat={"PartitionedPrefix": {}})
    await call("ListObjectsV2")
    await made.logs.flush()
    key, line = await logged(call)
    assert key.startswith("logs/111122223333/us-east-1/shelf/2023/11/14/2023-11-14-22-13-20-")
    assert " REST.GET.BUCKET - " in line


async def test_a_bucket_that_logs_to_itself_is_not_told_of_its_logs(made, call):
    await log_to(call, "shelf")
    await call("HeadBucket")
    await made.logs.flush()
    await made.logs.flush()
    assert len((await call("ListObjectsV2"))["Contents"]) == 1


async def test_targets_that_are_refused(call):
    with pytest.raises(ServiceException, match="The target bucket for logging does not exist"):
        await log_to(call, "nowhere")
    elsewhere = {"LocationConstraint": "eu-west-1"}
    await call("CreateBucket", Bucket="elsewhere", CreateBucketConfiguration=elsewhere)
    with pytest.raises(ServiceException) as refused:
        await log_to(call, "elsewhere")
    assert refused.value.code == "CrossLocationLoggingProhibitted"
    assert refused.value.members == {"TargetBucketLocation": "eu-west-1"}
    await log_to(call, "shelf")
    assert "LoggingEnabled" in await call("GetBucketLogging")
    await call("PutBucketLogging", BucketLoggingStatus={})
    assert await call("GetBucketLogging") == {}
