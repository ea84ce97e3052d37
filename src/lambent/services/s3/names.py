"""What buckets and keys may be called.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and object-keys.html.
"""

import re
from collections.abc import Mapping
from functools import wraps

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.errors import (
    InvalidBucketName,
    InvalidNamespaceHeader,
    InvalidURI,
    KeyTooLongError,
)

KEY_BYTES_MOST = 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_NAMES_OF_TEXTS = (
    *("Key", "Prefix", "Delimiter", "Marker", "KeyMarker", "StartAfter"),
    *("UploadId", "UploadIdMarker", "VersionIdMarker"),
)
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_bucket_name(name: str) -> None:
    """Raises InvalidBucketName."""
    if (
        not _BUCKET.fullmatch(name)
        or ".." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(_RESERVED_PREFIXES)
        or name.endswith(_RESERVED_SUFFIXES)
    ):
        raise InvalidBucketName(BucketName=name)


def check_namespace(name: str, namespace: str | None, account_id: str, region: str) -> None:
    """Raises InvalidNamespaceHeader: names of an account's own namespace end with it."""
    suffix = f"-{account_id}-{region}-an"
    if namespace == "account-regional" and not name.endswith(suffix):
        raise InvalidNamespaceHeader(
            "The requested bucket name did not include the account-regional namespace suffix, but the provided"
            f" x-amz-bucket-namespace header value is account-regional. Specify {suffix} as the bucket name suffix to"
            " create a bucket in your account-regional namespace, or remove the header."
        )


def check_key(key: str) -> None:
    """Raises KeyTooLongError."""
    if len(key) * 4 > KEY_BYTES_MOST and (size := len(key.encode())) > KEY_BYTES_MOST:
        raise KeyTooLongError(Size=size, MaxSizeAllowed=KEY_BYTES_MOST)


def with_readable_keys(operations: Mapping[str, Operation]) -> Mapping[str, Operation]:
    """The same, each of which raises InvalidURI where a key or an id has the character U+0000: PostgreSQL cannot."""
    return {name: _with_readable_keys(operation) for name, operation in operations.items()}


def _with_readable_keys(operation: Operation) -> Operation:
    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        for name in _NAMES_OF_TEXTS:
            if "\0" in parameters.get(name, ""):
                raise InvalidURI
        return await operation(caller, parameters)

    return guarded
