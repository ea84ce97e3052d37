"""S3 as its users know it: boto3's clients and transfers, and what must survive."""

import hashlib
import io
import os
import socket
import urllib.request
from base64 import b64encode
from typing import Any
from zlib import crc32

import pytest
import xxhash
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("shelf")
    s3.create_bucket(Bucket=name)
    return name


def refusal(call: Any, **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_from_its_first_byte_to_its_last(s3, bucket):
    key = "a folder/ünïcode & more?#+.txt"
    put = s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=b"0123456789",
        ContentType="text/plain",
        CacheControl="no-store",
        Metadata={"Colour": "blue"},
        Tagging="a=1&b=2",
    )
    assert put["ETag"] == '"781e5e245d69b566979b86e28d23f2c7"'
    assert put["ChecksumCRC32"] == "poTHxg=="
    assert put["ServerSideEncryption"] == "AES256"
    assert "VersionId" not in put
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == b"0123456789"
    assert got["ContentType"] == "text/plain"
    assert got["CacheControl"] == "no-store"
    assert got["Metadata"] == {"colour": "blue"}
    assert got["TagCount"] == 2
    part = s3.get_object(Bucket=bucket, Key=key, Range="bytes=-3")
    assert part["Body"].read() == b"789"
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert part["ContentRange"] == "bytes 7-9/10"
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert refusal(s3.get_object, Bucket=bucket, Key="x") == ("NoSuchKey", 404)
    assert refusal(s3.head_object, Bucket=bucket, Key="x") == ("404", 404)
    assert refusal(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)
    assert refusal(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)


def test_transfers_in_parts(s3, bucket):
    data = os.urandom(18 * MIB + 5)
    s3.upload_fileobj(io.BytesIO(data), bucket, "big")
    received = io.BytesIO()
    s3.download_fileobj(bucket, "big", received)
    assert received.getvalue() == data
    head = s3.head_object(Bucket=bucket, Key="big", PartNumber=2)
    assert (head["PartsCount"], head["ContentLength"]) == (3, 8 * MIB)
    assert head["ETag"].endswith('-3"')
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "big"})
    assert "-" not in copied["CopyObjectResult"]["ETag"]
    across = s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={8 * MIB - 2}-{8 * MIB + 1}")
    assert across["Body"].read() == data[8 * MIB - 2 : 8 * MIB + 2]


@pytest.mark.parametrize("signature", ["s3v4"])
def test_presigned_urls_read_and_write(lambent, bucket, signature):
    s3 = lambent.client("s3", config=Config(signature_version=signature))
    named = {"Bucket": bucket, "Key": "by link"}
    url = s3.generate_presigned_url("put_object", Params=named)
    with urllib.request.urlopen(urllib.request.Request(url, data=b"sent", method="PUT")) as answer:
        assert answer.status == 200
    url = s3.generate_presigned_url("get_object", Params=named | {"ResponseContentType": "x/y"})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"sent"
        assert answer.headers["content-type"] == "x/y"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.replace("by%20link", "other"))
    assert refused.value.code == 403


def test_versions(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert refusal(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    named = {"Bucket": bucket, "Key": "k", "VersionId": marker["VersionId"]}
    assert refusal(s3.get_object, **named) == ("MethodNotAllowed", 405)
    found = s3.list_object_versions(Bucket=bucket)
    assert [one["VersionId"] for one in found["Versions"]] == [second, first]
    assert [one["IsLatest"] for one in found["DeleteMarkers"]] == [True]
    s3.delete_object(**named)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"


def test_writes_that_depend_on_what_is_there(s3, bucket):
    named = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    etag = s3.put_object(**named, IfNoneMatch="*")["ETag"]
    assert refusal(s3.put_object, **named, IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refusal(s3.put_object, **named, IfMatch='"other"') == ("PreconditionFailed", 412)
    s3.put_object(**named, IfMatch=etag)
    assert refusal(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert refusal(s3.put_object, **(named | {"Key": "n"}), IfMatch=etag) == ("NoSuchKey", 404)
    assert refusal(s3.delete_object, Bucket=bucket, Key="n", IfMatch=etag) == ("NoSuchKey", 404)
    assert refusal(s3.delete_object, Bucket=bucket, Key="k", IfMatch="x") == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)


CHECKED = b"123456789"
CHECKSUMS = {
    "CRC32": crc32(CHECKED).to_bytes(4, "big"),
    "CRC32C": bytes.fromhex("e3069283"),
    "CRC64NVME": bytes.fromhex("ae8b14860a799888"),
    "SHA1": hashlib.sha1(CHECKED).digest(),
    "SHA256": hashlib.sha256(CHECKED).digest(),
    "SHA512": hashlib.sha512(CHECKED).digest(),
    "MD5": hashlib.md5(CHECKED).digest(),
    "XXHASH64": bytes.fromhex("8cb841db40e6ae83"),
    "XXHASH3": xxhash.xxh3_64_digest(CHECKED),
    "XXHASH128": xxhash.xxh3_128_digest(CHECKED),
}


@pytest.mark.parametrize(("algorithm", "digest"), CHECKSUMS.items())
def test_checksums(s3, bucket, algorithm, digest):
    member, value = f"Checksum{algorithm}", b64encode(digest).decode()
    put = s3.put_object(Bucket=bucket, Key="k", Body=CHECKED, **{member: value})
    assert put[member] == value
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[member], head["ChecksumType"]) == (value, "FULL_OBJECT")
    wrong = {member: b64encode(digest[::-1]).decode()}
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=CHECKED, **wrong) == ("BadDigest", 400)


def test_a_composite_checksum_of_hashes(s3, bucket):
    named = {"Bucket": bucket, "Key": "k"}
    begun = s3.create_multipart_upload(**named, ChecksumAlgorithm="XXHASH3")
    assert (begun["ChecksumAlgorithm"], begun["ChecksumType"]) == ("XXHASH3", "COMPOSITE")
    value = b64encode(CHECKSUMS["XXHASH3"]).decode()
    upload = {**named, "UploadId": begun["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=CHECKED, ChecksumXXHASH3=value)
    listed = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumXXHASH3": value}
    whole = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [listed]})
    of_parts = b64encode(xxhash.xxh3_64_digest(CHECKSUMS["XXHASH3"])).decode()
    assert (whole["ChecksumXXHASH3"], whole["ChecksumType"]) == (f"{of_parts}-1", "COMPOSITE")


def test_a_client_that_stops_half_way_leaves_nothing(lambent, bucket):
    s3 = lambent.client("s3", config=Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "half"})
    address = url.removeprefix("http://").partition("/")[0]
    incoming = lambent.data_dir / "s3" / "incoming"

    def received() -> list[str]:
        return [path.name for path in incoming.rglob("*") if path.is_file() and path.name != "opened"]

    with socket.create_connection((address.partition(":")[0], int(address.partition(":")[2]))) as client:
        path = url.removeprefix(f"http://{address}")
        client.sendall(f"PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9000000\r\n\r\n".encode())
        client.sendall(b"x" * 3_000_000)
        eventually(received)
    eventually(lambda: not received())
    assert refusal(s3.head_object, Bucket=bucket, Key="half") == ("404", 404)


def test_what_was_acknowledged_survives_a_kill(new_server):
    running = new_server()
    s3 = running.client("s3")
    s3.create_bucket(Bucket="shelf")
    large = bytes(range(256)) * 1024
    s3.put_object(Bucket="shelf", Key="small", Body=b"kept")
    s3.put_object(Bucket="shelf", Key="large", Body=large)
    s3.copy_object(Bucket="shelf", Key="copy", CopySource="shelf/small")
    upload = s3.create_multipart_upload(Bucket="shelf", Key="m")["UploadId"]
    part = {"Bucket": "shelf", "Key": "m", "UploadId": upload, "PartNumber": 1}
    etag = s3.upload_part(**part, Body=b"part")["ETag"]
    running.kill()
    running.start_again()
    s3 = running.client("s3")
    for key, body in (("small", b"kept"), ("copy", b"kept"), ("large", large)):
        assert s3.get_object(Bucket="shelf", Key=key)["Body"].read() == body
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket="shelf", Key="m", UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(Bucket="shelf", Key="m")["Body"].read() == b"part"
