"""What other clients than boto3 send to S3, and boto3 would not by itself: as Arrow, the AWS common runtime, s3cmd,
MinIO's client and SDKs for browsers were seen to write it. Each was refused once."""

from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from lambent_server import Lambent


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("clients")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def ask(lambent: Lambent) -> Any:
    """A signed request with a body whose hash is not signed; answers status and body."""
    keys = Credentials(lambent.server.access_key_id, lambent.server.secret_access_key)

    def send(method: str, path: str, body: bytes = b"", region: str = "us-east-1", **headers: str) -> Any:
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        written["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
        request = AWSRequest(method=method, url=lambent.endpoint + path, data=body, headers=written)
        S3SigV4Auth(keys, "s3", region).add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        return answer.status_code, answer.content.decode()

    return send


def test_a_checksum_is_asked_for_in_small_letters_too(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumAlgorithm="CRC32")
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="enabled")["ChecksumCRC32"] == "jNwWgw=="


def test_a_source_may_be_encoded_with_its_slashes(s3, ask, bucket):
    key = "a b/c+d%2F.txt"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    status, _ = ask("PUT", f"/{bucket}/copy", x_amz_copy_source=quote(f"{bucket}/{key}", safe=""))
    assert status == 200
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"


def test_who_signs_for_no_region_is_told_one(ask, bucket):
    status, body = ask("GET", f"/{bucket}", region="US")
    assert status == 400
    assert "<Code>AuthorizationHeaderMalformed</Code>" in body
    assert "the region 'US' is wrong; expecting 'us-east-1'" in body
    assert "<Region>us-east-1</Region>" in body


def test_documents_are_named_and_in_a_namespace(s3, ask, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for question, root in (
        ("notification", "NotificationConfiguration"),
        ("inventory", "ListInventoryConfigurationsResult"),
        ("encryption", "ServerSideEncryptionConfiguration"),
        ("metrics", "ListMetricsConfigurationsResult"),
    ):
        status, body = ask("GET", f"/{bucket}?{question}")
        assert status == 200
        assert f'<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' in body
    _, body = ask("PUT", f"/{bucket}/copy", x_amz_copy_source=f"{bucket}/k")
    assert '<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' in body


def test_many_are_not_deleted_by_a_body_that_nothing_vouches_for(s3, ask, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    written = b"<Delete><Object><Key>k</Key></Object></Delete>"
    status, body = ask("POST", f"/{bucket}?delete", written)
    assert (status, "Missing required header" in body) == (400, True)
    status, body = ask("POST", f"/{bucket}?delete", written, x_amz_checksum_crc32="AAAAAA==")
    assert (status, "<Code>BadDigest</Code>" in body) == (400, True)
    s3.head_object(Bucket=bucket, Key="k")


def test_a_body_that_is_not_there_is_missed(ask, bucket):
    status, body = ask("PUT", f"/{bucket}?notification")
    assert (status, "<Code>MissingRequestBodyError</Code><Message>Request Body is empty<" in body) == (
        400,
        True,
    )


def test_keys_that_are_no_text_do_not_become_one(ask, bucket):
    for key in ("%C3", "%C4", "%ED%A0%80"):
        status, body = ask("PUT", f"/{bucket}/{key}", b"x")
        assert (status, "<Code>InvalidURI</Code>" in body) == (400, True)


def test_an_attribute_that_there_is_not(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with pytest.raises(ClientError) as refused:
        s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Colour"])
    assert refused.value.response["Error"] == {
        "Code": "InvalidArgument",
        "Message": "Invalid attribute name specified.",
        "ArgumentName": "x-amz-object-attributes",
    }
