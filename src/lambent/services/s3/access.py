"""Who may do what to a bucket and to its objects: the bucket's policy, and what access control lists grant, as the
statements of one policy.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from lambent.model.access_control import Grant
from lambent.model.bucket import Bucket
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.s3.access_control import AUTHENTICATED, EVERYBODY, LOG_DELIVERY, block_of, not_public
from lambent.services.s3.acl import ENFORCED, acl_of_bucket, acl_of_object, ownership_of
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.public_access import effective_policy, statements_of
from lambent.store.ports.objects import ObjectStore

CANONICAL_USER = "lambent:CanonicalUser"
"""The condition key by which a grant knows its grantee."""
ANONYMOUS = "anonymous"
"""The account of nobody in particular."""

_ON_BUCKET: Mapping[str, Sequence[str]] = {
    "READ": ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    "READ_ACP": ("s3:GetBucketAcl",),
    "WRITE_ACP": ("s3:PutBucketAcl",),
}
_IN_BUCKET: Mapping[str, Sequence[str]] = {"WRITE": ("s3:PutObject",)}
"""What a bucket's list allows to be done to its objects."""
_ON_OBJECT: Mapping[str, Sequence[str]] = {
    "READ": ("s3:GetObject",),
    "READ_ACP": ("s3:GetObjectAcl",),
    "WRITE_ACP": ("s3:PutObjectAcl",),
}
"""Not of versions that are asked for by their ids: which of them is meant, is not known here."""


class Access:
    def __init__(self, buckets: BucketRecords, objects: ObjectStore) -> None:
        self._buckets = buckets
        self._objects = objects

    async def policy(self, arn: str) -> ResourcePolicy | None:
        """model.service.Service.resource_policy, for the ARN of a bucket or of an object."""
        name, _, key = arn.split(":", 5)[-1].partition("/")
        bucket = self._buckets.find(name)
        if bucket is None:
            return None
        document = effective_policy(bucket)
        if ownership_of(bucket) != ENFORCED:
            document = _joined(document, *await self._grants(bucket, key))
        return ResourcePolicy(account_id=bucket.account_id, document=document)

    async def _grants(self, bucket: Bucket, key: str) -> tuple[tuple[Grant, ...], tuple[Grant, ...]]:
        """The bucket's, and those of the object that the key has now."""
        version = await self._objects.get(bucket.name, key) if key else None
        of_bucket = acl_of_bucket(bucket).grants
        of_object = acl_of_object(bucket, version.acl).grants if version is not None else ()
        if block_of(bucket, "IgnorePublicAcls"):
            return not_public(of_bucket), not_public(of_object)
        return of_bucket, of_object


@lru_cache(maxsize=1024)
def _joined(policy: str | None, of_bucket: tuple[Grant, ...], of_object: tuple[Grant, ...]) -> str:
    document = json.loads(policy) if policy is not None else {"Version": "2012-10-17", "Statement": []}
    within = "arn:*:s3:::*/*"
    granted = [
        *(_statement(grant, _ON_BUCKET, {"NotResource": within}) for grant in of_bucket),
        *(_statement(grant, _IN_BUCKET, {"Resource": within}) for grant in of_bucket),
        *(_statement(grant, _ON_OBJECT, {"Resource": within}) for grant in of_object),
    ]
    statements = [*statements_of(document), *(statement for statement in granted if statement)]
    return json.dumps({**document, "Statement": statements})


def _statement(
    grant: Grant, actions: Mapping[str, Sequence[str]], where: Mapping[str, str]
) -> dict[str, Any] | None:
    permissions = actions if grant.permission == "FULL_CONTROL" else (grant.permission,)
    allowed = [action for permission in permissions for action in actions.get(permission, ())]
    if not allowed:
        return None
    statement = {"Effect": "Allow", "Principal": "*", "Action": allowed, **where}
    if grant.group == EVERYBODY:
        return statement
    if grant.group == AUTHENTICATED:
        return statement | {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": ANONYMOUS}}}
    if grant.group == LOG_DELIVERY:
        return statement | {"Principal": {"Service": "logging.s3.amazonaws.com"}}
    return statement | {"Condition": {"StringEquals": {CANONICAL_USER: grant.user}}}
