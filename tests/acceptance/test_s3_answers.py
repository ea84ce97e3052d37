"""S3's answers down to their statuses and the members of their errors, as AWS gives them."""

import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


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
