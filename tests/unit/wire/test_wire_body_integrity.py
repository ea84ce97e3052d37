"""Digests of the bodies that S3 reads whole: held to what was sent, and wanted where AWS wants one."""

import base64
import hashlib
import zlib

import pytest

from lambent.model.error import ServiceException
from lambent.wire.body_integrity import check_body

BODY = b"<Delete><Object><Key>k</Key></Object></Delete>"


def base64_of(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


MD5 = base64_of(hashlib.md5(BODY, usedforsecurity=False).digest())
RIGHT = {
    "content-md5": MD5,
    "x-amz-checksum-crc32": base64_of(zlib.crc32(BODY).to_bytes(4, "big")),
    "x-amz-checksum-sha1": base64_of(hashlib.sha1(BODY, usedforsecurity=False).digest()),
    "x-amz-checksum-sha256": base64_of(hashlib.sha256(BODY).digest()),
}


def refusal(
    headers: dict[str, str], operation: str = "DeleteObjects", body: bytes = BODY
) -> ServiceException:
    with pytest.raises(ServiceException) as refused:
        check_body(operation, headers, body)
    return refused.value


@pytest.mark.parametrize("name", RIGHT)
def test_a_digest_is_of_the_body_or_is_refused(name):
    check_body("DeleteObjects", {name: RIGHT[name]}, BODY)
    assert refusal({name: RIGHT[name]}, body=BODY + b" ").code == "BadDigest"


def test_what_is_no_md5_at_all_is_told_apart():
    for text in ("rubbish!", "cnVi", ""):
        refused = refusal({"content-md5": text})
        assert (refused.code, refused.members) == ("InvalidDigest", {"Content-MD5": text})


def test_deletes_of_many_want_a_digest_and_other_settings_do_not():
    refused = refusal({})
    assert refused.code == "InvalidRequest"
    assert refused.message == "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
    check_body("DeleteObjects", {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA="}, BODY)
    check_body("DeleteObjects", {"x-amz-trailer": "x-amz-checksum-crc32"}, BODY)
    check_body("PutBucketVersioning", {}, BODY)
