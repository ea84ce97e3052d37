"""Access control lists: who may set them, what they say, and that they decide."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_server import Lambent

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3", config=Config(parameter_validation=False))


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("listed")
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=name)
    return name


def refusal(call: Any, **parameters: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return dict(refused.value.response["Error"])


def permissions(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Each with the group that has it, or the end of an account's id."""
    return [
        (grant["Grantee"].get("URI") or grant["Grantee"]["ID"], grant["Permission"])
        for grant in answer["Grants"]
    ]


def anonymously(lambent: Lambent, method: str, path: str, body: bytes | None = None) -> int:
    request = urllib.request.Request(f"{lambent.endpoint}/{path}", data=body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_an_enforced_bucket_has_no_lists(lambent, s3):
    name = lambent.new_name("enforced")
    s3.create_bucket(Bucket=name)
    for acl in ("private", "public-read"):
        for call, key in ((s3.put_bucket_acl, {}), (s3.put_object, {"Key": "k"})):
            error = refusal(call, Bucket=name, ACL=acl, **key)
            assert (error["Code"], error["Message"]) == (
                "AccessControlListNotSupported",
                "The bucket does not allow ACLs",
            )
    s3.put_object(Bucket=name, Key="k", ACL="bucket-owner-full-control")
    owner = s3.list_buckets()["Owner"]["ID"]
    assert permissions(s3.get_object_acl(Bucket=name, Key="k")) == [(owner, "FULL_CONTROL")]


def test_a_bucket_is_not_made_public(lambent, s3):
    public = {"Bucket": lambent.new_name("public"), "ACL": "public-read"}
    assert refusal(s3.create_bucket, **public)["Code"] == "InvalidBucketAclWithObjectOwnership"
    error = refusal(s3.create_bucket, ObjectOwnership="ObjectWriter", **public)
    assert error["Code"] == "InvalidBucketAclWithBlockPublicAccessError"
    s3.create_bucket(Bucket=public["Bucket"], ObjectOwnership="ObjectWriter")
    assert refusal(s3.put_bucket_acl, **public)["Code"] == "AccessDenied"
    assert refusal(s3.put_object, Key="k", **public)["Code"] == "AccessDenied"


def test_what_lists_say(s3, bucket):
    owner = s3.list_buckets()["Owner"]
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert permissions(s3.get_bucket_acl(Bucket=bucket)) == [
        (owner["ID"], "FULL_CONTROL"),
        (EVERYBODY, "READ"),
        (EVERYBODY, "WRITE"),
    ]
    s3.put_bucket_acl(Bucket=bucket, GrantRead=f'uri="{LOG_DELIVERY}"', GrantWriteACP=f"id={owner['ID']}")
    assert permissions(s3.get_bucket_acl(Bucket=bucket)) == [
        (LOG_DELIVERY, "READ"),
        (owner["ID"], "WRITE_ACP"),
    ]
    grant = {"Grantee": {"ID": owner["ID"], "Type": "CanonicalUser"}, "Permission": "READ_ACP"}
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": owner, "Grants": [grant]})
    answer = s3.get_bucket_acl(Bucket=bucket)
    assert answer["Grants"] == [{"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "READ_ACP"}]
    error = refusal(
        s3.put_bucket_ownership_controls,
        Bucket=bucket,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    assert error["Code"] == "InvalidBucketAclWithObjectOwnership"


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ({}, "MissingSecurityHeader", {"MissingHeaderName": "x-amz-acl"}),
        ({"ACL": "fake"}, "InvalidArgument", {"ArgumentName": "x-amz-acl", "ArgumentValue": "fake"}),
        ({"GrantRead": 'id="x"'}, "InvalidArgument", {"ArgumentName": "id", "ArgumentValue": "x"}),
        ({"GrantRead": 'uri="x"'}, "InvalidArgument", {"ArgumentName": "uri", "ArgumentValue": "x"}),
        ({"GrantWrite": "who"}, "InvalidArgument", {"ArgumentName": "x-amz-grant-write"}),
        ({"GrantRead": 'emailAddress="a@b.c"'}, "UnresolvableGrantByEmailAddress", {}),
        ({"ACL": "private", "GrantRead": 'uri="x"'}, "InvalidRequest", {}),
        ({"ACL": "private", "AccessControlPolicy": {"Grants": []}}, "UnexpectedContent", {}),
        ({"AccessControlPolicy": {"Grants": []}}, "MalformedACLError", {}),
        (
            {"AccessControlPolicy": {"Owner": {"ID": "x"}, "Grants": []}},
            "InvalidArgument",
            {"ArgumentName": "CanonicalUser/ID", "ArgumentValue": "x"},
        ),
    ],
)
def test_lists_that_are_refused(s3, bucket, asked, code, told):
    error = refusal(s3.put_bucket_acl, Bucket=bucket, **asked)
    assert error["Code"] == code
    assert told.items() <= error.items()


def test_lists_decide(lambent, s3, bucket):
    s3.put_object(Bucket=bucket, Key="open", Body=b"x", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="shut", Body=b"x")
    assert anonymously(lambent, "GET", f"{bucket}/open") == 200
    assert anonymously(lambent, "GET", f"{bucket}/shut") == 403
    assert anonymously(lambent, "GET", f"{bucket}/open?acl") == 403
    assert anonymously(lambent, "GET", bucket) == 403
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert anonymously(lambent, "GET", bucket) == 200
    assert anonymously(lambent, "PUT", f"{bucket}/theirs", b"y") == 200
    assert anonymously(lambent, "DELETE", f"{bucket}/shut") == 403
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert anonymously(lambent, "GET", f"{bucket}/open") == 403


def test_a_later_version_does_not_open_an_earlier_one(lambent, s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    before = s3.put_object(Bucket=bucket, Key="k", Body=b"secret")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"open", ACL="public-read")
    assert anonymously(lambent, "GET", f"{bucket}/k") == 200
    assert anonymously(lambent, "GET", f"{bucket}/k?versionId={before}") == 403


def test_objects_take_lists_however_they_are_made(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert EVERYBODY not in dict(permissions(s3.get_object_acl(Bucket=bucket, Key="copy")))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", ACL="public-read")["UploadId"]
    named = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    part = s3.upload_part(PartNumber=1, Body=b"x", **named)
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **named)
    assert dict(permissions(s3.get_object_acl(Bucket=bucket, Key="parts")))[EVERYBODY] == "READ"
    s3.put_object_acl(Bucket=bucket, Key="parts", ACL="private")
    assert EVERYBODY not in dict(permissions(s3.get_object_acl(Bucket=bucket, Key="parts")))


def test_a_delete_marker_has_no_list_and_no_tags(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="k")
    named = {"Bucket": bucket, "Key": "k"}
    assert refusal(s3.put_object_acl, ACL="private", **named)["Code"] == "MethodNotAllowed"
    assert refusal(s3.get_object_acl, **named)["Code"] == "NoSuchKey"
    assert refusal(s3.get_object_tagging, **named)["Code"] == "MethodNotAllowed"
