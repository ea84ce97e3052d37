"""Objects under a key of KMS, or under one that the customer brings: sealed on disk, and read by who has the key."""

import base64
import hashlib
import json
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

MIB = 1024 * 1024
SECRET = b"the harbour at midnight"


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture(scope="module")
def key(lambent: Lambent) -> str:
    return str(lambent.client("kms").create_key()["KeyMetadata"]["Arn"])


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("vault")
    s3.create_bucket(Bucket=name)
    return name


def is_on_disk(lambent: Lambent, data: bytes) -> bool:
    files = [*(lambent.data_dir / "s3").rglob("*"), *lambent.data_dir.glob("lambent.db*")]
    return any(data in path.read_bytes() for path in files if path.is_file())


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_default_of_the_bucket_seals_what_is_put(lambent, s3, bucket, key):
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }
    configuration = {"Rules": [rule]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"] == configuration
    put = s3.put_object(Bucket=bucket, Key="k", Body=SECRET)
    said = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, "BucketKeyEnabled": True}
    for answer in (put, s3.head_object(Bucket=bucket, Key="k"), s3.get_object(Bucket=bucket, Key="k")):
        assert {name: answer[name] for name in said} == said
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == SECRET
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=4-10")["Body"].read() == SECRET[4:11]
    assert not is_on_disk(lambent, SECRET)


def test_parts_and_copies_are_sealed_too(lambent, s3, bucket, key):
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    first, second = SECRET + os.urandom(5 * MIB), os.urandom(1000) + SECRET
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", **sealed)
    assert upload["SSEKMSKeyId"] == key
    named = {"Bucket": bucket, "Key": "big", "UploadId": upload["UploadId"]}
    tags = [
        s3.upload_part(**named, PartNumber=number, Body=body)["ETag"]
        for number, body in enumerate((first, second), 1)
    ]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == first + second
    over = f"bytes={len(first) - 7}-{len(first) + 7}"
    assert (
        s3.get_object(Bucket=bucket, Key="big", Range=over)["Body"].read()
        == (first + second)[len(first) - 7 : len(first) + 8]
    )
    assert not is_on_disk(lambent, SECRET)
    source = {"Bucket": bucket, "Key": "big"}
    s3.copy_object(Bucket=bucket, Key="sealed", CopySource=source, **sealed)
    assert s3.get_object(Bucket=bucket, Key="sealed")["Body"].read() == first + second
    assert not is_on_disk(lambent, SECRET)
    plain = s3.copy_object(Bucket=bucket, Key="plain", CopySource=source)
    assert plain["ServerSideEncryption"] == "AES256"
    assert s3.get_object(Bucket=bucket, Key="plain")["Body"].read() == first + second
    assert is_on_disk(lambent, SECRET)
    s3.delete_object(Bucket=bucket, Key="plain")
    eventually(lambda: not is_on_disk(lambent, SECRET))  # what is deleted goes a moment later


def test_the_key_decides_who_reads(lambent, s3, bucket, key):
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    s3.put_object(Bucket=bucket, Key="k", Body=SECRET, **sealed)
    name = lambent.new_name("reader")
    trust = {"Effect": "Allow", "Principal": {"AWS": lambent.account_id}, "Action": "sts:AssumeRole"}
    role = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [trust]})
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    lambent.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    keys = lambent.sts.assume_role(RoleArn=role, RoleSessionName="reading")["Credentials"]
    reader = lambent.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert reader.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == key
    code, message = refusal(reader.get_object, Bucket=bucket, Key="k")
    assert code == "AccessDenied" and "kms:Decrypt" in message
    code, message = refusal(reader.put_object, Bucket=bucket, Key="k", Body=b"x", **sealed)
    assert code == "AccessDenied" and "kms:GenerateDataKey" in message
    missing = {**sealed, "SSEKMSKeyId": "alias/nobody"}
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"x", **missing)[0] == "KMS.NotFoundException"


def test_a_key_that_the_customer_brings(lambent, s3, bucket):
    mine, other = os.urandom(32), os.urandom(32)
    named = {"Bucket": bucket, "Key": "k"}
    with_mine = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": mine}
    put = s3.put_object(**named, Body=SECRET, **with_mine)
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(mine).digest()).decode()
    assert "ServerSideEncryption" not in put
    assert not is_on_disk(lambent, SECRET)
    assert s3.get_object(**named, **with_mine)["Body"].read() == SECRET
    assert refusal(s3.get_object, **named) == (
        "InvalidRequest",
        "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
        "retrieve the object.",
    )
    with_other = {**with_mine, "SSECustomerKey": other}
    assert refusal(s3.get_object, **named, **with_other)[0] == "AccessDenied"
    assert refusal(s3.head_object, **named)[0] == "400"
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    assert refusal(s3.get_object, Bucket=bucket, Key="plain", **with_mine)[1] == (
        "The encryption parameters are not applicable to this object."
    )
    source = {
        "CopySource": {"Bucket": bucket, "Key": "k"},
        "CopySourceSSECustomerAlgorithm": "AES256",
        "CopySourceSSECustomerKey": mine,
    }
    s3.copy_object(Bucket=bucket, Key="copy", **source, **with_other)
    assert s3.get_object(Bucket=bucket, Key="copy", **with_other)["Body"].read() == SECRET
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", **with_mine)["UploadId"]
    part = {"Bucket": bucket, "Key": "big", "UploadId": upload, "PartNumber": 1, "Body": SECRET}
    assert refusal(s3.upload_part, **part)[0] == "InvalidRequest"
    assert refusal(s3.upload_part, **part, **with_other)[1] == (
        "The provided encryption parameters did not match the ones used originally."
    )
    tag = s3.upload_part(**part, **with_mine)["ETag"]
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]},
    )
    assert s3.get_object(Bucket=bucket, Key="big", **with_mine)["Body"].read() == SECRET
    bad = {**with_mine, "SSECustomerKey": b"short"}
    assert refusal(s3.put_object, **named, Body=b"x", **bad)[1] == (
        "The secret key was invalid for the specified algorithm."
    )


def test_the_key_of_s3_itself(lambent, s3, bucket):
    sealed = {"ServerSideEncryption": "aws:kms"}
    put = s3.put_object(Bucket=bucket, Key="k", Body=SECRET, **sealed)
    described = lambent.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (put["SSEKMSKeyId"], described["KeyManager"]) == (described["Arn"], "AWS")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == SECRET
    assert not is_on_disk(lambent, SECRET)
    # An object that was sealed otherwise may be copied to itself: it is not what it was.
    s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    assert s3.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
    assert refusal(s3.copy_object, Bucket=bucket, Key="k", CopySource=f"{bucket}/k")[0] == "InvalidRequest"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    put = s3.put_object(Bucket=bucket, Key="d", Body=b"x")
    assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (described["Arn"], True)
