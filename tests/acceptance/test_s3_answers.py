"""S3's answers down to their statuses and the members of their errors, as AWS gives them."""

import datetime
import gzip
import json
import re
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from lambent_server import Lambent


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture(scope="module")
def s3_unchecked(lambent: Lambent) -> Any:
    return lambent.client("s3", config=Config(parameter_validation=False))


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("shelf")
    s3.create_bucket(Bucket=name)
    return name


def refusal(call: Any, **parameters: Any) -> tuple[dict[str, str], int]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response = refused.value.response
    return response["Error"], response["ResponseMetadata"]["HTTPStatusCode"]


def status(answer: dict[str, Any]) -> int:
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def test_settings_of_buckets_are_answered_without_content(s3, bucket):
    tags = {"TagSet": [{"Key": "colour", "Value": "blue"}]}
    assert status(s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)) == 204
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/x",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    assert status(s3.put_bucket_policy(Bucket=bucket, Policy=policy)) == 204
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    error, code = refusal(s3.get_bucket_tagging, Bucket=bucket)
    assert (error["Code"], code) == ("NoSuchTagSet", 404)


def test_headers_that_are_refused_are_named(lambent, s3):
    error, code = refusal(s3.create_bucket, Bucket=lambent.new_name("shelf"), ObjectOwnership="Nobody")
    assert (error, code) == (
        {
            "Code": "InvalidArgument",
            "Message": "Invalid x-amz-object-ownership header: Nobody",
            "ArgumentName": "x-amz-object-ownership",
        },
        400,
    )


def test_a_time_to_come_is_no_condition(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    source = {"Bucket": bucket, "Key": "k"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, CopySourceIfModifiedSince=tomorrow)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"


@pytest.fixture
def locking(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("vault")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def test_a_bucket_that_locks_what_it_is_given(s3, locking, bucket):
    found = s3.get_object_lock_configuration(Bucket=locking)["ObjectLockConfiguration"]
    assert found == {"ObjectLockEnabled": "Enabled"}
    assert s3.get_bucket_versioning(Bucket=locking)["Status"] == "Enabled"
    configuration = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
    }
    s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=configuration)
    assert s3.get_object_lock_configuration(Bucket=locking)["ObjectLockConfiguration"] == configuration
    both = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"}}}
    for wrong in ({}, {"Rule": configuration["Rule"]}, both):
        error, code = refusal(s3.put_object_lock_configuration, Bucket=locking, ObjectLockConfiguration=wrong)
        assert (error["Code"], code) == ("MalformedXML", 400)
    suspended = {"Status": "Suspended"}
    error, code = refusal(s3.put_bucket_versioning, Bucket=locking, VersioningConfiguration=suspended)
    assert (error["Code"], code) == ("InvalidBucketState", 409)
    error, code = refusal(
        s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=configuration
    )
    assert (error["Code"], code) == ("InvalidBucketState", 409)
    assert refusal(s3.get_object_lock_configuration, Bucket=bucket)[1] == 404


def test_a_retention_can_grow_and_be_bypassed(s3, locking):
    now = datetime.datetime.now(datetime.UTC)
    tomorrow, later = now + datetime.timedelta(days=1), now + datetime.timedelta(days=2)
    named = {"Bucket": locking, "Key": "k"}
    kept = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": tomorrow}
    version = s3.put_object(**named, Body=b"x", **kept)["VersionId"]
    assert s3.head_object(**named)["ObjectLockMode"] == "GOVERNANCE"
    protected = {
        "Code": "AccessDenied",
        "Message": "Access Denied because object protected by object lock.",
    }
    assert refusal(s3.delete_object, **named, VersionId=version) == (protected, 403)
    listed = s3.delete_objects(Bucket=locking, Delete={"Objects": [{"Key": "k", "VersionId": version}]})[
        "Errors"
    ]
    assert listed == [{"Key": "k", "VersionId": version, **protected}]
    s3.put_object_retention(**named, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later})
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": tomorrow}
    assert refusal(s3.put_object_retention, **named, Retention=shorter) == (protected, 403)
    s3.put_object_retention(**named, Retention=shorter, BypassGovernanceRetention=True)
    s3.delete_object(**named)
    s3.delete_object(**named, VersionId=version, BypassGovernanceRetention=True)
    assert refusal(s3.get_object_retention, **named)[1] == 404


def test_a_legal_hold_is_for_nobody_to_bypass(s3, locking):
    named = {"Bucket": locking, "Key": "k"}
    version = s3.put_object(**named, Body=b"x")["VersionId"]
    assert refusal(s3.get_object_legal_hold, **named)[0]["Code"] == "NoSuchObjectLockConfiguration"
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    bypassing = {**named, "VersionId": version, "BypassGovernanceRetention": True}
    assert refusal(s3.delete_object, **bypassing)[0]["Code"] == "AccessDenied"
    s3.put_object_legal_hold(**named, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**named)["LegalHold"] == {"Status": "OFF"}
    s3.delete_object(**bypassing)


def test_a_versioned_bucket_is_emptied_page_by_page(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(5):
        s3.put_object(Bucket=bucket, Key="k", Body=b"%d" % number)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    for page in pages:
        doomed = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in page["Versions"]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed})
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


def test_what_a_listing_says_of_where_it_began(s3, bucket):
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=1, StartAfter="j")
    assert first["StartAfter"] == "j"
    rest = s3.list_objects_v2(Bucket=bucket, StartAfter="j", ContinuationToken=first["NextContinuationToken"])
    assert "StartAfter" not in rest
    assert [entry["Key"] for entry in rest["Contents"]] == ["k1", "k2"]
    uploads = [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("a/1", "a/2", "b")]
    page = s3.list_multipart_uploads(Bucket=bucket, UploadIdMarker=uploads[0], MaxUploads=1)
    assert (page["UploadIdMarker"], page["NextUploadIdMarker"]) == ("", uploads[0])
    page = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=1)
    assert page["IsTruncated"] is True
    assert (page["NextKeyMarker"], page["NextUploadIdMarker"]) == ("", "")


def test_numbers_without_digits_and_times_with_milliseconds(s3, s3_unchecked, bucket):
    seen = []

    def see(http_response, **_):
        seen.append(http_response.text)

    s3_unchecked.meta.events.register("after-call.s3.ListObjectsV2", see)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3_unchecked.list_objects_v2(Bucket=bucket, MaxKeys="")["MaxKeys"] == 1000
    assert re.search(r"<LastModified>[\d-]{10}T[\d:]{8}\.000Z<", seen[0])


def test_an_object_says_when_it_ends(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "soon", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 2}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    put = s3.put_object(Bucket=bucket, Key="logs/1", Body=b"x")
    assert re.fullmatch(r'expiry-date="\w{3}, .* 00:00:00 GMT", rule-id="soon"', put["Expiration"])
    assert s3.head_object(Bucket=bucket, Key="logs/1")["Expiration"] == put["Expiration"]
    copied = s3.copy_object(Bucket=bucket, Key="logs/2", CopySource=f"{bucket}/logs/1")
    assert copied["Expiration"] == put["Expiration"]
    assert "Expiration" not in s3.head_object(Bucket=bucket, Key="logs/1", VersionId=put["VersionId"])
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="kept", Body=b"x")


def test_requests_that_are_not_whole(lambent, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    error, code = refusal(s3.complete_multipart_upload, Bucket=bucket, Key="k", UploadId=upload)
    assert (error["Code"], error["Message"], code) == (
        "InvalidRequest",
        "You must specify at least one part",
        400,
    )
    queue = {
        "QueueArn": f"arn:aws:sqs:us-east-1:{lambent.account_id}:q",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "infix", "Value": "x"}]}},
    }
    error, code = refusal(
        s3.put_bucket_notification_configuration,
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [queue]},
    )
    assert error == {
        "Code": "InvalidArgument",
        "Message": "filter rule name must be either prefix or suffix",
        "ArgumentName": "FilterRule.Name",
        "ArgumentValue": "infix",
    }


def test_an_object_may_be_copied_to_itself_with_its_storage_class(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    itself = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k"}
    assert refusal(s3.copy_object, **itself)[0]["Code"] == "InvalidRequest"
    assert status(s3.copy_object(**itself, StorageClass="STANDARD")) == 200


def test_redirects_are_kept_and_not_copied(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", WebsiteRedirectLocation="/there")
    assert s3.head_object(Bucket=bucket, Key="k")["WebsiteRedirectLocation"] == "/there"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert "WebsiteRedirectLocation" not in s3.head_object(Bucket=bucket, Key="copy")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/copy", WebsiteRedirectLocation="/here")
    assert s3.head_object(Bucket=bucket, Key="copy")["WebsiteRedirectLocation"] == "/here"
    error, _ = refusal(s3.put_object, Bucket=bucket, Key="k", WebsiteRedirectLocation="there")
    assert error["Code"] == "InvalidRedirectLocation"


def test_sources_of_copies_that_are_refused(s3, bucket):
    error, status = refusal(s3.copy_object, Bucket=bucket, Key="k", CopySource={"Bucket": "", "Key": ""})
    assert (error, status) == (
        {
            "Code": "InvalidArgument",
            "Message": "Invalid copy source object key",
            "ArgumentName": "x-amz-copy-source",
            "ArgumentValue": "x-amz-copy-source",
        },
        400,
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    source = {"Bucket": bucket, "Key": "k", "VersionId": marker}
    error, status = refusal(s3.copy_object, Bucket=bucket, Key="c", CopySource=source)
    assert (error["Code"], error["Message"], status) == (
        "InvalidRequest",
        "The source of a copy request may not specifically refer to a delete marker by version id.",
        400,
    )
    assert refusal(s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k")[0]["Code"] == "NoSuchKey"


def test_what_is_asked_for_without_saying_what(s3_unchecked, bucket):
    s3_unchecked.put_object(Bucket=bucket, Key="k", Body=b"x")
    error, status = refusal(s3_unchecked.get_object_attributes, Bucket=bucket, Key="k", ObjectAttributes=[])
    assert (error["Code"], status) == ("InvalidArgument", 400)
    s3_unchecked.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    error, _ = refusal(s3_unchecked.put_object_lock_configuration, Bucket=bucket)
    assert (error["Code"], error["Message"]) == ("MissingRequestBodyError", "Request Body is empty")


def test_names_in_the_namespace_of_an_account(lambent, s3):
    name = lambent.new_name("shelf")
    error, status = refusal(s3.create_bucket, Bucket=name, BucketNamespace="account-regional")
    assert (error["Code"], status) == ("InvalidNamespaceHeader", 400)
    s3.create_bucket(Bucket=f"{name}-{lambent.account_id}-us-east-1-an", BucketNamespace="account-regional")


def test_nothing_is_deleted_on_a_condition_that_nothing_holds(s3, bucket):
    error, status = refusal(s3.delete_object, Bucket=bucket, Key="missing", IfMatch="x")
    assert (error["Code"], status) == ("NoSuchKey", 404)
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    error, status = refusal(s3.delete_object, Bucket=bucket, Key="k", IfMatch="x")
    assert (error["Code"], error["Condition"], status) == ("PreconditionFailed", "If-Match", 412)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)


def test_words_that_s3_does_not_know(s3, s3_unchecked, bucket):
    error, _ = refusal(s3.put_object, Bucket=bucket, Key="k", StorageClass="LUKEWARM")
    assert (error["Code"], error["StorageClassRequested"]) == ("InvalidStorageClass", "LUKEWARM")
    error, _ = refusal(s3.put_object, Bucket=bucket, Key="k", ServerSideEncryption="ROT13")
    assert error == {
        "Code": "InvalidArgument",
        "Message": "The encryption method specified is not supported",
        "ArgumentName": "x-amz-server-side-encryption",
        "ArgumentValue": "ROT13",
    }
    assert refusal(s3.put_bucket_acl, Bucket=bucket, AccessControlPolicy={})[0]["Code"] == "MalformedACLError"
    assert refusal(s3.put_bucket_acl, Bucket=bucket)[0]["Code"] == "MissingSecurityHeader"
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "HOLD"}
    policy = {"Owner": owner, "Grants": [grant]}
    assert refusal(s3.put_bucket_acl, Bucket=bucket, AccessControlPolicy=policy)[0]["Code"] == (
        "MalformedACLError"
    )


def test_a_key_without_tags_is_told_with_its_bucket(s3, bucket):
    assert refusal(s3.get_object_tagging, Bucket=bucket, Key="k")[0]["Key"] == f"{bucket}/k"
    assert refusal(s3.delete_object_tagging, Bucket=bucket, Key="k")[0]["Key"] == "k"


def test_directory_buckets_are_refused_where_a_client_can_read_it(s3):
    error, status = refusal(s3.list_directory_buckets)
    assert (error["Code"], status) == ("NotImplemented", 501)
    assert "s3express" in error["Message"]


def test_an_upload_that_a_delete_overtook_finds_its_key_not_absent(s3, bucket):
    named = {"Bucket": bucket, "Key": "k"}

    def begin():
        upload = {**named, "UploadId": s3.create_multipart_upload(**named)["UploadId"]}
        part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]}
        return {**upload, "MultipartUpload": {"Parts": [part]}, "IfNoneMatch": "*"}

    s3.put_object(**named, Body=b"x")
    begun = begin()
    s3.delete_object(**named)
    error, status = refusal(s3.complete_multipart_upload, **begun)
    assert (error["Code"], error["Condition"], error["Key"], status) == (
        "ConditionalRequestConflict",
        "If-None-Match",
        "k",
        409,
    )
    s3.complete_multipart_upload(**begin())


def selected(answer):
    events = list(answer["Payload"])
    assert "End" in events[-1]
    payload = b"".join(event["Records"]["Payload"] for event in events if "Records" in event)
    return payload, events[-2]["Stats"]["Details"]


def test_records_are_selected_from_objects(s3, bucket):
    lines = "".join(f"{number},{number % 7}\n" for number in range(200_000)).encode()
    s3.put_object(Bucket=bucket, Key="table.csv.gz", Body=gzip.compress(b"number,rest\n" + lines))
    asked = {
        "Bucket": bucket,
        "Key": "table.csv.gz",
        "ExpressionType": "SQL",
        "InputSerialization": {"CSV": {"FileHeaderInfo": "USE"}, "CompressionType": "GZIP"},
        "OutputSerialization": {"JSON": {}},
    }
    few = "SELECT s.number FROM S3Object s WHERE CAST(s.rest AS int) = 3 LIMIT 2"
    payload, _ = selected(s3.select_object_content(**asked, Expression=few))
    assert payload == b'{"number":"3"}\n{"number":"10"}\n'
    asked["OutputSerialization"] = {"CSV": {}}
    payload, stats = selected(s3.select_object_content(**asked, Expression="SELECT * FROM S3Object"))
    assert payload == lines
    assert (stats["BytesProcessed"], stats["BytesReturned"]) == (len(lines) + 12, len(lines))
    error, status = refusal(s3.select_object_content, **asked, Expression="SELECT 1 FROM elsewhere")
    assert (error["Code"], status) == ("ParseUnexpectedToken", 400)
    broken = s3.select_object_content(**asked, Expression="SELECT CAST(s.number AS bool) FROM S3Object s")
    with pytest.raises(EventStreamError) as failed:
        selected(broken)
    assert failed.value.response["Error"]["Code"] == "CastFailed"
