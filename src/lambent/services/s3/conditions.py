"""Conditions of requests: what must hold for an object to be read, copied, or written.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from email.utils import formatdate

from lambent.model.caller import Parameters
from lambent.model.error import ServiceException
from lambent.model.stored_object import ObjectVersion, WriteCondition
from lambent.services.s3.errors import (
    NoSuchBucket,
    NoSuchKey,
    NotModified,
    ObjectProtected,
    PreconditionFailed,
    SlowDown,
    unsupported_header,
)
from lambent.store.ports.errors import (
    AlreadyExistsError,
    LockedError,
    MissingKeyError,
    NotFoundError,
    StaleRevisionError,
    StoreError,
    StoreFullError,
)
from lambent.wire.timestamps import epoch_seconds


def check_read(parameters: Parameters, version: ObjectVersion, now: float) -> None:
    """Raises PreconditionFailed (412), NotModified (304)."""
    failed = _failed(parameters, version, "", now)
    if failed is None:
        return
    condition, changed = failed
    if changed:
        raise PreconditionFailed(Condition=condition)
    error = NotModified()
    error.headers = {
        "ETag": f'"{version.etag}"',
        "Last-Modified": formatdate(int(version.modified_at), usegmt=True),
    }
    raise error


def check_copy_source(parameters: Parameters, version: ObjectVersion, now: float) -> None:
    """Raises PreconditionFailed."""
    failed = _failed(parameters, version, "CopySource", now)
    if failed is not None:
        raise PreconditionFailed(Condition=f"x-amz-copy-source-{failed[0]}")


def _failed(
    parameters: Parameters, version: ObjectVersion, prefix: str, now: float
) -> tuple[str, bool] | None:
    """The condition that does not hold; True where it was on the object being what it was. What is not modified since
    a time that is still to come says nothing."""
    match, none_match = parameters.get(f"{prefix}IfMatch"), parameters.get(f"{prefix}IfNoneMatch")
    modified_at = int(version.modified_at)
    if match is not None:
        if not _names(match, version.etag):
            return "If-Match", True
    elif (
        unmodified := parameters.get(f"{prefix}IfUnmodifiedSince")
    ) is not None and modified_at > epoch_seconds(unmodified):
        return "If-Unmodified-Since", True
    if none_match is not None:
        if _names(none_match, version.etag):
            return "If-None-Match", False
    elif (modified := parameters.get(f"{prefix}IfModifiedSince")) is not None and (
        modified_at <= epoch_seconds(modified) <= now
    ):
        return "If-Modified-Since", False
    return None


def write_condition(parameters: Parameters) -> WriteCondition | None:
    """Raises NotImplemented for what S3 does not take."""
    match, none_match = parameters.get("IfMatch"), parameters.get("IfNoneMatch")
    if match is not None and none_match is not None:
        raise unsupported_header(
            "If-Match,If-None-Match", "Multiple conditional request headers present in the request"
        )
    if none_match is not None:
        if none_match != "*":
            raise unsupported_header(
                "If-None-Match", "We don't accept the provided value of If-None-Match header for this API"
            )
        return WriteCondition(absent=True)
    if match is not None:
        if match == "*":
            raise unsupported_header(
                "If-Match", "We don't accept the provided value of If-Match header for this API"
            )
        return WriteCondition(etag=unquoted(match))
    return None


def write_refused(error: StoreError, bucket: str, key: str) -> ServiceException:
    """The store's refusal of a write, in S3's words."""
    match error:
        case AlreadyExistsError():
            return PreconditionFailed(Condition="If-None-Match")
        case StaleRevisionError():
            return PreconditionFailed(Condition="If-Match")
        case MissingKeyError():
            return NoSuchKey(Key=key)
        case LockedError():
            return ObjectProtected()
        case NotFoundError():
            return NoSuchBucket(BucketName=bucket)
        case StoreFullError():
            return SlowDown()
    raise error


def unquoted(etag: str) -> str:
    return etag.strip().strip('"')


def _names(header: str, etag: str) -> bool:
    return any(
        one.strip() == "*" or unquoted(one.strip().removeprefix("W/")) == etag for one in header.split(",")
    )
