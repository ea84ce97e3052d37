"""Whether a body is the one that its client has computed a digest of: S3's settings and deletes, which are read whole.

What objects are made of is hashed where it is written. Source: "Required: Yes" of Content-MD5 in the S3 API reference,
and the answers that clients recorded without it.
"""

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping

from lambent.model.error import ServiceException

_REQUIRED = frozenset(
    {
        "DeleteObjects",
        "PutBucketCors",
        "PutBucketLifecycle",
        "PutBucketLifecycleConfiguration",
        "PutBucketReplication",
        "PutBucketTagging",
        "PutObjectLegalHold",
        "PutObjectLockConfiguration",
        "PutObjectRetention",
    }
)
_MD5_BYTES = 16
_CHECKSUM = "x-amz-checksum-"
_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}
"""The others are taken for right: a signature vouches for the body anyway."""


def check_body(operation: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raises InvalidDigest, BadDigest; InvalidRequest where the operation wants a digest and there is none."""
    given = headers.get("content-md5")
    if given is not None:
        _check_md5(given, body)
    for name, digest in _CHECKSUMS.items():
        told = headers.get(_CHECKSUM + name)
        if told is not None and told != b64encode(digest(body)).decode():
            raise _refused(
                "BadDigest", f"The {name.upper()} you specified did not match the calculated checksum."
            )
    if operation in _REQUIRED and not _has_digest(headers):
        raise _refused(
            "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )


def _has_digest(headers: Mapping[str, str]) -> bool:
    return (
        "content-md5" in headers
        or "x-amz-trailer" in headers
        or any(name.startswith(_CHECKSUM) for name in headers)
    )


def _check_md5(given: str, body: bytes) -> None:
    try:
        told = b64decode(given, validate=True)
    except ValueError:
        told = b""
    if len(told) != _MD5_BYTES:
        raise _refused("InvalidDigest", "The Content-MD5 you specified was invalid.", {"Content-MD5": given})
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    if told != digest:
        raise _refused(
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
            {"ExpectedDigest": told.hex(), "CalculatedDigest": b64encode(digest).decode()},
        )


def _refused(code: str, message: str, members: Mapping[str, str] | None = None) -> ServiceException:
    return ServiceException(message, code=code, members=members or {})
