"""What S3's permissions are about: the ARN that a request acts on, and the condition keys that it has.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from collections.abc import Mapping
from urllib.parse import unquote_plus

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.services.s3.access import CANONICAL_USER
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.owners import canonical_id
from lambent.store.ports.objects import ObjectStore

_KEYS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:VersionId",
    "ACL": "s3:x-amz-acl",
    "StorageClass": "s3:x-amz-storage-class",
    "CopySource": "s3:x-amz-copy-source",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "ObjectOwnership": "s3:x-amz-object-ownership",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
}


_OF_TAGS = frozenset(
    {
        *("DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectTagging"),
        *("HeadObject", "PutObjectAcl", "PutObjectTagging"),
    }
)
"""Operations whose permission may depend on the tags that the object has already."""


class ExistingTags:
    """model.service.LateKeys: s3:ExistingObjectTag/… of the version that the request is for."""

    PREFIX = "s3:ExistingObjectTag/"

    def __init__(self, buckets: BucketRecords, objects: ObjectStore) -> None:
        self._buckets = buckets
        self._objects = objects

    async def read(self, operation: str, parameters: Parameters) -> Mapping[str, str]:
        bucket = self._buckets.find(parameters["Bucket"])
        if operation not in _OF_TAGS or bucket is None:
            return {}
        version = await self._objects.get(bucket.name, parameters["Key"], parameters.get("VersionId"))
        if version is None:
            return {}
        return {self.PREFIX + name: value for name, value in version.properties.tags.items()}


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    """The object's, the bucket's, or "*". DeleteObjects asks for each object itself."""
    if operation == "DeleteObjects":
        return ()
    bucket = parameters.get("Bucket")
    if bucket is None:
        return "*"
    partition = caller.partition or partition_of(caller.region)
    key = parameters.get("Key")
    return f"arn:{partition}:s3:::{bucket}" if key is None else f"arn:{partition}:s3:::{bucket}/{key}"


def condition_keys(operation: str, caller: Caller, parameters: Parameters) -> Mapping[str, str]:
    keys = {key: str(parameters[member]) for member, key in _KEYS.items() if member in parameters}
    keys[CANONICAL_USER] = canonical_id(caller.account_id)
    headers = caller.headers
    presigned = "authorization" not in headers
    keys["s3:authType"] = "REST-QUERY-STRING" if presigned else "REST-HEADER"
    keys["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    if "x-amz-content-sha256" in headers:
        keys["s3:x-amz-content-sha256"] = headers["x-amz-content-sha256"]
    configuration = parameters.get("CreateBucketConfiguration")
    if configuration and "LocationConstraint" in configuration:
        keys["s3:locationconstraint"] = configuration["LocationConstraint"]
    tagging = parameters.get("Tagging")
    if isinstance(tagging, str):
        for pair in tagging.split("&"):
            name, _, value = pair.partition("=")
            keys[f"s3:RequestObjectTag/{unquote_plus(name)}"] = unquote_plus(value)
    return keys
