"""Buckets in the host name: bucket.s3.amazonaws.com/key is s3.amazonaws.com/bucket/key.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html. Beside AWS's hosts, those whose names
lead here: bucket.localhost, and bucket.s3.anything.
"""

import re

from lambent.http.message import Request

_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}?[a-z0-9])"
_VIRTUAL = re.compile(
    rf"{_BUCKET}\.(?:s3(?:[.-](?:dualstack\.|accelerate\.)?[a-z0-9.-]+)?|localhost)(?::\d+)?", re.IGNORECASE
)
_PLAIN_HOST = re.compile(r"s3(?:[.-][a-z0-9.-]+)?(?::\d+)?", re.IGNORECASE)


def bucket_of_host(host: str) -> str | None:
    """The bucket that a Host header names, if it does."""
    if _PLAIN_HOST.fullmatch(host):
        return None
    found = _VIRTUAL.fullmatch(host)
    return None if found is None else found["bucket"].lower()


def is_s3_host(host: str) -> bool:
    """Whether a host with a bucket's name can be no other service's: bucket.s3.anything."""
    bucket = bucket_of_host(host)
    return bucket is not None and re.match(r"\.s3\b", host[len(bucket) :], re.IGNORECASE) is not None


def move_bucket_to_path(request: Request) -> None:
    """To be called when the signature, which covers the path as it was sent, has been verified."""
    bucket = bucket_of_host(request.headers.get("host", ""))
    if bucket is not None:
        request.path = f"/{bucket}{request.path}"
