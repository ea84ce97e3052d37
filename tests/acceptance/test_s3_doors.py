"""S3 without signed headers: presigned URLs of both kinds, HTML forms, pages of elsewhere, and the public."""

import base64
import hashlib
import hmac
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import Any

import pytest
from botocore.config import Config
from lambent_server import Lambent


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("shelf")
    s3.create_bucket(Bucket=name)
    return name


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any) -> None:
        return None


def ask(
    url: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] = {}
) -> tuple[int, bytes, Message]:
    request = urllib.request.Request(url, data=body, method=method, headers=dict(headers))
    try:
        with urllib.request.build_opener(NoRedirect).open(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def form(fields: Mapping[str, str], data: bytes, filename: str = "a photo.jpg") -> tuple[bytes, str]:
    pieces = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    body = "".join(pieces).encode() + file.encode() + data + b"\r\n--edge--\r\n"
    return body, "multipart/form-data; boundary=edge"


def post(given: Mapping[str, Any], data: bytes = b"sent", **fields: str) -> tuple[int, bytes, Message]:
    body, content_type = form({**given["fields"], **fields}, data)
    return ask(given["url"], "POST", body, {"Content-Type": content_type})


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls(lambent, bucket, version):
    s3 = lambent.client("s3", config=Config(signature_version=version))
    named = {"Bucket": bucket, "Key": "a folder/ü & more+.txt"}
    put = s3.generate_presigned_url("put_object", Params=named | {"ContentType": "text/plain"})
    assert ask(put, "PUT", b"x" * 400_000, {"Content-Type": "text/plain"})[0] == 200
    assert ask(put, "PUT", b"sent", {"Content-Type": "text/html"})[0] == 403
    url = s3.generate_presigned_url("get_object", Params=named | {"ResponseContentType": "x/y"})
    status, body, headers = ask(url)
    assert (status, len(body), headers["content-type"]) == (200, 400_000, "x/y")
    assert ask(url.replace("folder", "f"))[0] == 403
    status, body, _ = ask(s3.generate_presigned_url("get_object", Params=named, ExpiresIn=-10))
    assert status in (400, 403)
    assert b"<Code>" in body
    listing = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket})
    assert b"<KeyCount>1</KeyCount>" in ask(listing)[1]
    status, body, _ = ask(re.sub("&(X-Amz-)?Signature=[^&]*", "", url))
    lacking = {
        "s3": (403, b"requires the Signature, Expires and AWSAccessKeyId parameters"),
        "s3v4": (400, b"Query-string authentication version 4 requires the X-Amz-Algorithm"),
    }
    assert status == lacking[version][0]
    assert lacking[version][1] in body


def test_a_url_presigned_in_the_old_manner_ends(s3, bucket):
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=-10)
    body = ask(url)[1].decode()
    assert "Request has expired" in body
    expires, now = re.findall(r"<(?:Expires|ServerTime)>([\d-]{10}T[\d:]{8}Z)<", body)
    assert expires < now
    wrong = ask(url.replace("Signature=", "Signature=x"))[1].decode()
    (text,) = re.findall("<StringToSign>(.*)</StringToSign>", wrong, re.DOTALL)
    (numbers,) = re.findall("<StringToSignBytes>(.*)</StringToSignBytes>", wrong)
    assert bytes.fromhex(numbers).decode() == text


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("s3", ["AWSAccessKeyId", "Signature"]),
        ("s3v4", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"]),
    ],
)
def test_a_form_that_lacks_something(lambent, bucket, version, names):
    s3 = lambent.client("s3", config=Config(signature_version=version))
    given = s3.generate_presigned_post(bucket, "k")

    def post_without(*dropped):
        kept = {
            name: value
            for name, value in given["fields"].items()
            if name.lower() not in {one.lower() for one in dropped}
        }
        return post({"url": given["url"], "fields": kept})

    for name in names:
        status, body, _ = post_without(name)
        assert status == 400
        assert f"Bucket POST must contain a field named '{name}'".encode() in body
    for without in (["policy", *names], names):
        status, body, _ = post_without(*without)
        assert status == 403
        assert b"<Message>Access Denied</Message>" in body


def test_what_is_posted_to_a_bucket_and_no_form(lambent, bucket):
    plain = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body, _ = ask(f"{lambent.endpoint}/{bucket}", "POST", b"key=k", plain)
    assert status == 412
    assert b"<Condition>Bucket POST must be of the enclosure-type multipart/form-data</Condition>" in body


def test_a_form_signed_in_the_old_manner(s3, bucket):
    given = s3.generate_presigned_post(
        bucket,
        "uploads/${filename}",
        Fields={"success_action_status": "201", "x-amz-meta-colour": "blue"},
        Conditions=[
            {"success_action_status": "201"},
            {"x-amz-meta-colour": "blue"},
            ["content-length-range", 1, 10],
        ],
    )
    status, body, headers = post(given)
    assert status == 201, body
    assert b"<Key>uploads/a photo.jpg</Key>" in body
    got = s3.get_object(Bucket=bucket, Key="uploads/a photo.jpg")
    assert (got["Body"].read(), got["Metadata"]) == (b"sent", {"colour": "blue"})
    assert headers["etag"] == got["ETag"]
    assert b"EntityTooLarge" in post(given, b"x" * 11)[1]
    assert b"EntityTooSmall" in post(given, b"")[1]
    assert b"Extra input fields: acl" in post(given, acl="public-read")[1]
    assert b"SignatureDoesNotMatch" in post(given, signature="AAAA")[1]


def test_a_form_signed_with_version_4(lambent, bucket):
    s3 = lambent.client("s3", config=Config(signature_version="s3v4"))
    given = s3.generate_presigned_post(
        bucket,
        "k",
        Fields={"redirect": "https://example.com/ok?a=b"},
        Conditions=[{"redirect": "https://example.com/ok?a=b"}],
    )
    status, _, headers = post(given)
    assert status == 303
    assert headers["location"].startswith(f"https://example.com/ok?a=b&bucket={bucket}&key=k&etag=")
    status, body, _ = post(given, key="other")
    assert status == 403
    assert b"Invalid according to Policy: Policy Condition failed" in body
    expired = s3.generate_presigned_post(bucket, "k", ExpiresIn=-1)
    assert b"Policy expired" in post(expired)[1]


def test_pages_of_elsewhere(s3, bucket):
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    asked = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type, x-amz-date",
    }
    status, body, _ = ask(url, "OPTIONS", headers=asked)
    assert status == 403
    assert b"CORS is not enabled for this bucket" in body
    rule = {
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    status, _, headers = ask(url, "OPTIONS", headers=asked)
    assert status == 200
    assert headers["access-control-allow-origin"] == "https://app.example.com"
    assert headers["access-control-allow-headers"] == "content-type, x-amz-date"
    assert headers["access-control-max-age"] == "60"
    assert ask(url, "OPTIONS", headers=asked | {"Origin": "https://evil.org"})[0] == 403
    status, _, headers = ask(url, headers={"Origin": "https://app.example.com"})
    assert (status, headers["access-control-expose-headers"]) == (200, "ETag")
    assert headers["access-control-max-age"] == "60"
    _, _, headers = ask(
        url, headers={"Origin": "https://app.example.com", "Access-Control-Request-Method": "DELETE"}
    )
    assert headers["access-control-allow-origin"] is None
    _, _, headers = ask(url, headers={"Origin": "https://evil.org"})
    assert headers["access-control-allow-origin"] is None


def test_pages_of_elsewhere_and_buckets_that_are_none(lambent, s3, bucket):
    status, body, _ = ask(
        f"{lambent.endpoint}/k",
        "OPTIONS",
        headers={"Host": "no-such-shelf.s3.localhost", "Origin": "https://a"},
    )
    assert status == 403
    assert b"CORSResponse: Bucket not found" in body
    s3.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={"CORSRules": [{"AllowedOrigins": ["https://b"], "AllowedMethods": ["GET"]}]},
    )
    asked = {"Origin": "https://a", "Access-Control-Request-Method": "GET"}
    for path, of in (("", b"BUCKET"), ("/k", b"OBJECT")):
        body = ask(f"{lambent.endpoint}/{bucket}{path}", "OPTIONS", headers=asked)[1]
        assert b"<ResourceType>" + of in body


def test_the_public_writes_where_it_is_let(lambent, s3, bucket):
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:PutObject", "s3:PutBucketPolicy"],
        "Resource": [f"arn:aws:s3:::{bucket}/in/*", f"arn:aws:s3:::{bucket}"],
    }
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    base = f"{lambent.endpoint}/{bucket}"
    assert ask(f"{base}/in/letter", "PUT", b"dear all")[0] == 200
    assert s3.get_object(Bucket=bucket, Key="in/letter")["Body"].read() == b"dear all"
    assert ask(f"{base}/in/letter", "DELETE")[0] == 403
    assert ask(f"{base}/out/letter", "PUT", b"dear all")[0] == 403
    assert ask(f"{base}?policy", "PUT", b"{}")[0] == 403


def test_the_public_gets_in_where_it_is_let_in_and_nowhere_else(lambent, s3, bucket):
    s3.put_object(Bucket=bucket, Key="open/k", Body=b"for all")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"for us")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/open/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    base = f"{lambent.endpoint}/{bucket}"
    with pytest.raises(s3.exceptions.ClientError, match="BlockPublicPolicy"):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert ask(f"{base}/open/k")[0] == 403
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert ask(f"{base}/open/k")[:2] == (200, b"for all")
    assert ask(f"{base}/open/none")[0] == 403
    assert ask(f"{base}/closed")[0] == 403
    assert ask(base)[0] == 403
    assert ask(f"{base}/open/k", "PUT", b"x")[0] == 403
    assert b"cannot be used for anonymous" in ask(f"{base}/open/k?response-content-type=x/y")[1]
    assert ask(f"{base}/open/k", headers={"Host": f"{bucket}.localhost"})[0] in (403, 404)
    assert ask(f"{lambent.endpoint}/open/k", headers={"Host": f"{bucket}.localhost"})[1] == b"for all"
    blocked = {"RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)
    assert ask(f"{base}/open/k")[0] == 403


def test_a_signature_of_nobody(lambent, bucket):
    text = f"GET\n\n\n9999999999\n/{bucket}/k"
    signature = base64.b64encode(hmac.digest(b"secret", text.encode(), hashlib.sha1)).decode()
    query = urllib.parse.urlencode(
        {"AWSAccessKeyId": "AKIANOBODY", "Signature": signature, "Expires": "9999999999"}
    )
    status, body, _ = ask(f"{lambent.endpoint}/{bucket}/k?{query}")
    assert (status, b"InvalidAccessKeyId" in body) == (403, True)
