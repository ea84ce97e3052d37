"""One request as a line of a server access log.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.services.s3.access import ANONYMOUS
from lambent.services.s3.owners import canonical_id

LOGGED = {
    "AbortMultipartUpload": ("DELETE", "UPLOAD"),
    "CompleteMultipartUpload": ("POST", "UPLOAD"),
    "CopyObject": ("COPY", "OBJECT"),
    "CreateMultipartUpload": ("POST", "UPLOADS"),
    "DeleteObject": ("DELETE", "OBJECT"),
    "DeleteObjectTagging": ("DELETE", "OBJECT_TAGGING"),
    "DeleteObjects": ("POST", "MULTI_OBJECT_DELETE"),
    "GetBucketAcl": ("GET", "ACL"),
    "GetObject": ("GET", "OBJECT"),
    "GetObjectAcl": ("GET", "ACL"),
    "GetObjectAttributes": ("GET", "OBJECT_ATTRIBUTES"),
    "GetObjectTagging": ("GET", "OBJECT_TAGGING"),
    "HeadBucket": ("HEAD", "BUCKET"),
    "HeadObject": ("HEAD", "OBJECT"),
    "ListMultipartUploads": ("GET", "UPLOADS"),
    "ListObjectVersions": ("GET", "BUCKETVERSIONS"),
    "ListObjects": ("GET", "BUCKET"),
    "ListObjectsV2": ("GET", "BUCKET"),
    "ListParts": ("GET", "UPLOAD"),
    "PutBucketAcl": ("PUT", "ACL"),
    "PutObject": ("PUT", "OBJECT"),
    "PutObjectAcl": ("PUT", "ACL"),
    "PutObjectTagging": ("PUT", "OBJECT_TAGGING"),
    "RestoreObject": ("POST", "OBJECT"),
    "UploadPart": ("PUT", "PART"),
    "UploadPartCopy": ("COPY", "PART"),
}
"""Of the operations that are logged: the verb, and what S3 calls the resource."""

_LIKELY_STATUS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """`at` is epoch seconds; without a `refusal` it was done."""

    bucket: Bucket
    operation: str
    caller: Caller
    parameters: Parameters
    output: Parameters
    refusal: ServiceException | None
    at: float
    took_seconds: float


def line_of(request: LoggedRequest) -> str:
    """In the order of S3's fields; what is not known is a dash. The URI is written anew, without its query."""
    caller, parameters, output = request.caller, request.parameters, request.output
    verb, resource = LOGGED[request.operation]
    key = quote(parameters.get("Key", ""))
    length = output.get("ContentLength")
    took = round(request.took_seconds * 1000)
    fields = (
        canonical_id(request.bucket.account_id),
        request.bucket.name,
        datetime.fromtimestamp(request.at, UTC).strftime("[%d/%b/%Y:%H:%M:%S +0000]"),
        caller.source_ip,
        None if caller.account_id == ANONYMOUS else caller.principal_arn,
        caller.request_id,
        f"REST.{verb}.{resource}",
        key,
        _request_uri(verb, request.bucket.name, key),
        *_outcome(request.refusal),
        length if verb == "GET" else None,
        length if length is not None else parameters.get("ContentLength"),
        took,
        took,
        _quoted(caller.headers.get("referer")),
        _quoted(caller.user_agent),
        output.get("VersionId") or parameters.get("VersionId"),
        caller.request_id,
        "SigV4",
        None,
        "AuthHeader" if "authorization" in caller.headers else None,
        caller.headers.get("host"),
        None,
        None,
        None,
    )
    return " ".join("-" if field in (None, "") else str(field) for field in fields) + "\n"


def _request_uri(verb: str, bucket: str, key: str) -> str:
    method = "PUT" if verb == "COPY" else verb
    return f'"{method} /{bucket}{"/" if key else ""}{key} HTTP/1.1"'


def _outcome(refusal: ServiceException | None) -> tuple[int, str | None]:
    """The status, and the error's code."""
    return (200, None) if refusal is None else (refusal.status or _LIKELY_STATUS, refusal.code)


def _quoted(text: str | None) -> str:
    return f'"{quote(text, safe=" /;:,()[]+#*=@!")}"' if text else '"-"'
