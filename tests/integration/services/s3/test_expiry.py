"""Lifecycle rules carried out on real stores, by a clock that is moved."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest

from lambent.model.caller import Caller
from lambent.model.error import ServiceException

DAY = 86_400.0
ROOT = Caller(
    account_id="111122223333",
    region="us-east-1",
    principal_arn="arn:aws:iam::111122223333:root",
    user_id="111122223333",
    access_key_id="AKIA",
)
Call = Callable[..., Awaitable[dict[str, Any]]]


async def configure(call: Call, **rule: Any) -> None:
    rules = [{"ID": "r", "Status": "Enabled", "Filter": {}, **rule}]
    await call("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": rules})


async def keys(call: Call) -> list[str]:
    return [one["Key"] for one in (await call("ListObjectsV2")).get("Contents", ())]


async def test_objects_expire_at_the_midnight_after_their_days(made, call, clock):
    await call("PutObject", Key="logs/old", Body=b"x")
    await call("PutObject", Key="kept", Body=b"x")
    await configure(call, Filter={"Prefix": "logs/"}, Expiration={"Days": 1})
    clock.advance(DAY)
    await made.expiry.sweep()
    assert await keys(call) == ["kept", "logs/old"]
    clock.advance(DAY)
    await call("PutObject", Key="logs/new", Body=b"x")
    await made.expiry.sweep()
    assert await keys(call) == ["kept", "logs/new"]


async def test_no_object_expires_because_the_clock_was_set_forward(made, call, clock):
    await call("PutObject", Key="k", Body=b"x")
    await configure(call, Expiration={"Days": 30})
    clock.set_by(365 * DAY)
    await made.expiry.sweep()
    assert await keys(call) == ["k"]
    clock.advance(8 * DAY)  # if it is still there by then, it is the time
    await made.expiry.sweep()
    assert await keys(call) == []


async def test_a_disabled_rule_does_nothing(made, call, clock):
    await call("PutObject", Key="k", Body=b"x")
    await configure(call, Status="Disabled", Expiration={"Days": 1})
    clock.advance(9 * DAY)
    await made.expiry.sweep()
    assert await keys(call) == ["k"]


async def test_with_versions_an_object_is_hidden_and_its_versions_go_later(made, call, clock):
    await call("PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        await call("PutObject", Key="k", Body=b"x")
    await configure(
        call,
        Expiration={"Days": 1},
        NoncurrentVersionExpiration={"NoncurrentDays": 5, "NewerNoncurrentVersions": 1},
    )
    clock.advance(2 * DAY)
    await made.expiry.sweep()
    assert await keys(call) == []
    found = await call("ListObjectVersions")
    assert (len(found["Versions"]), len(found["DeleteMarkers"])) == (3, 1)
    clock.advance(7 * DAY)
    await made.expiry.sweep()
    found = await call("ListObjectVersions")
    assert (len(found["Versions"]), len(found["DeleteMarkers"])) == (1, 1)


async def test_delete_markers_that_hide_nothing_go(made, call):
    await call("PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    version = await call("PutObject", Key="alone", Body=b"x")
    await call("PutObject", Key="hidden", Body=b"x")
    for key in ("alone", "hidden"):
        await call("DeleteObject", Key=key)
    await call("DeleteObject", Key="alone", VersionId=version["VersionId"])
    await configure(call, Expiration={"ExpiredObjectDeleteMarker": True})
    await made.expiry.sweep()
    assert [one["Key"] for one in (await call("ListObjectVersions"))["DeleteMarkers"]] == ["hidden"]


async def test_uploads_that_nobody_completes_are_aborted(made, call, clock):
    await call("CreateMultipartUpload", Key="old")
    await configure(call, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2})
    clock.advance(3 * DAY)
    await call("CreateMultipartUpload", Key="new")
    await made.expiry.sweep()
    assert [one["Key"] for one in (await call("ListMultipartUploads"))["Uploads"]] == ["new"]


@pytest.mark.parametrize("small", [True, False])
async def test_bytes_of_what_is_gone_are_removed(made, call, tmp_path, small):
    times = 1 if small else 10_000
    await call("PutObject", Key="k", Body=b"first" * times)
    await call("PutObject", Key="k", Body=b"second" * times)
    await call("CopyObject", Key="copy", CopySource="shelf/k")
    await call("DeleteObject", Key="copy")
    upload = (await call("CreateMultipartUpload", Key="m"))["UploadId"]
    await call("UploadPart", Key="m", UploadId=upload, PartNumber=1, Body=b"part" * times)
    await call("AbortMultipartUpload", Key="m", UploadId=upload)
    assert not await made.garbage.collect()
    files = [path.read_bytes() for path in (tmp_path / "s3/objects").rglob("*") if path.is_file()]
    with closing(sqlite3.connect(tmp_path / "lambent.db")) as database:
        rows = [data for (data,) in database.execute("SELECT data FROM s3_small_contents")]
    assert (rows, files) == (([b"second"], []) if small else ([], [b"second" * times]))


async def test_two_who_write_at_once_on_condition_and_one_wins(call):
    import asyncio

    async def put(body: bytes) -> bool:
        try:
            await call("PutObject", Key="k", Body=body, IfNoneMatch="*")
        except Exception as error:
            assert type(error).__name__ == "PreconditionFailed"
            return False
        return True

    results = await asyncio.gather(*(put(b"%d" % number) for number in range(8)))
    assert results.count(True) == 1
    assert (await call("GetObject", Key="k"))["Body"] == b"%d" % results.index(True)


async def classes(call: Call) -> dict[str, str]:
    return {one["Key"]: one["StorageClass"] for one in (await call("ListObjectsV2")).get("Contents", ())}


async def test_objects_grow_colder_and_not_warmer(made, call, clock):
    large = b"x" * 128 * 1024
    await call("PutObject", Key="large", Body=large)
    await call("PutObject", Key="small", Body=b"x")
    await call("PutObject", Key="cold", Body=large, StorageClass="DEEP_ARCHIVE")
    warm, cold = {"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}
    await configure(call, Transitions=[cold, warm])
    clock.advance(31 * DAY)
    await made.expiry.sweep()
    assert await classes(call) == {"large": "STANDARD_IA", "small": "STANDARD", "cold": "DEEP_ARCHIVE"}
    await configure(call, Filter={"ObjectSizeGreaterThan": 0}, Transitions=[cold, warm])
    clock.advance(30 * DAY)
    await made.expiry.sweep()
    assert await classes(call) == {"large": "GLACIER", "small": "GLACIER", "cold": "DEEP_ARCHIVE"}


async def test_versions_that_are_not_the_latest_grow_colder(made, call, clock):
    await call("PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        await call("PutObject", Key="k", Body=b"x" * 128 * 1024)
    move = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 1, "StorageClass": "GLACIER_IR"}
    await configure(call, NoncurrentVersionTransitions=[move])
    clock.advance(2 * DAY)
    await made.expiry.sweep()
    found = await call("ListObjectVersions")
    assert [one["StorageClass"] for one in found["Versions"]] == ["STANDARD", "STANDARD", "GLACIER_IR"]


async def test_a_restored_copy_lasts_for_its_days(call, clock):
    await call("PutObject", Key="k", Body=b"x", StorageClass="GLACIER")
    with pytest.raises(ServiceException, match="The operation is not valid for the object's storage class"):
        await call("GetObject", Key="k")
    assert (await call("RestoreObject", Key="k", RestoreRequest={"Days": 2}))["HTTPStatusCode"] == 202
    assert (await call("GetObject", Key="k"))["Body"] == b"x"
    assert (await call("RestoreObject", Key="k", RestoreRequest={"Days": 1}))["HTTPStatusCode"] == 200
    clock.advance(2 * DAY)
    assert "Restore" not in await call("HeadObject", Key="k")
    with pytest.raises(ServiceException):
        await call("GetObject", Key="k")
