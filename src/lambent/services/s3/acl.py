"""The lists of buckets and of objects: read, replaced, and given to what is made.

Where a bucket's ownership is BucketOwnerEnforced, as it is unless somebody says otherwise, there are no lists but the
owner's own, and requests that ask for another are refused.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.access_control import AccessControlList
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.access_control import (
    asks_for_list,
    block_of,
    is_public,
    list_members,
    private,
    replacement,
    requested,
)
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import (
    AccessControlListNotSupported,
    AccessDenied,
    InvalidBucketAclWithBlockPublicAccessError,
    InvalidBucketAclWithObjectOwnership,
)
from lambent.services.s3.object_changes import ObjectChanges
from lambent.services.s3.object_lookup import ObjectLookup, version_members

ENFORCED = "BucketOwnerEnforced"
_FULL_CONTROL = "bucket-owner-full-control"
_OF_NEW_BUCKETS = frozenset({"private", _FULL_CONTROL, "bucket-owner-read"})
"""What an enforced bucket may be made with."""


class Acls:
    def __init__(self, buckets: BucketRecords, lookup: ObjectLookup, changes: ObjectChanges) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._changes = changes

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetBucketAcl": self.get_bucket,
            "PutBucketAcl": self.put_bucket,
            "GetObjectAcl": self.get_object,
            "PutObjectAcl": self.put_object,
        }

    async def get_bucket(self, caller: Caller, parameters: Parameters) -> Parameters:
        return list_members(acl_of_bucket(self._buckets.require(caller, parameters)))

    async def put_bucket(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        current = acl_of_bucket(bucket)
        wanted = replacement(parameters, current, bucket.account_id)
        _refuse(caller, bucket, parameters, wanted, current, "PutBucketAcl")
        await self._buckets.change(bucket.name, lambda bucket: replace(bucket, acl=wanted))
        return {}

    async def get_object(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, "GET")
        return list_members(acl_of_object(bucket, version.acl))

    async def put_object(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, "PUT", marker_hides=False)
        current = acl_of_object(bucket, version.acl)
        wanted = replacement(parameters, current, bucket.account_id)
        _refuse(caller, bucket, parameters, wanted, current, "PutObjectAcl")
        events = () if wanted == current else ("ObjectAcl:Put",)
        await self._changes.make(caller, bucket, version, replace(version, acl=wanted), *events)
        return version_members(bucket, version)


def ownership_of(bucket: Bucket) -> str:
    """Where ownership controls were deleted, AWS goes by ObjectWriter."""
    controls = bucket.configurations.get("OwnershipControls")
    return str(controls["Rules"][0]["ObjectOwnership"]) if controls else "ObjectWriter"


def acl_of_bucket(bucket: Bucket) -> AccessControlList:
    """What is in force."""
    own = private(bucket.account_id)
    return own if bucket.acl is None or ownership_of(bucket) == ENFORCED else bucket.acl


def acl_of_object(bucket: Bucket, acl: AccessControlList | None) -> AccessControlList:
    """What is in force."""
    return private(bucket.account_id) if acl is None or ownership_of(bucket) == ENFORCED else acl


def acl_of_new_bucket(caller: Caller, parameters: Parameters, ownership: str) -> AccessControlList | None:
    """Raises InvalidBucketAclWithObjectOwnership, InvalidBucketAclWithBlockPublicAccessError, InvalidArgument."""
    asked = requested(parameters, caller.account_id, caller.account_id)
    if asked is None:
        return None
    if ownership == ENFORCED and parameters.get("ACL") not in _OF_NEW_BUCKETS:
        raise InvalidBucketAclWithObjectOwnership()
    if is_public(asked.grants):
        raise InvalidBucketAclWithBlockPublicAccessError()
    return None if asked == private(caller.account_id) else asked


def acl_of_new_object(caller: Caller, bucket: Bucket, parameters: Parameters) -> AccessControlList | None:
    """None for the bucket owner's own. Raises AccessControlListNotSupported, AccessDenied, InvalidArgument."""
    if caller.account_id == bucket.account_id and not asks_for_list(parameters):
        return None
    ownership = ownership_of(bucket)
    given_up = ownership == "BucketOwnerPreferred" and parameters.get("ACL") == _FULL_CONTROL
    kept = ownership != ENFORCED and not given_up
    owner_id = caller.account_id if kept else bucket.account_id
    wanted = requested(parameters, owner_id, bucket.account_id) or private(owner_id)
    _refuse(caller, bucket, parameters, wanted, private(owner_id), "PutObject")
    return None if wanted == private(bucket.account_id) else wanted


def _refuse(
    caller: Caller,
    bucket: Bucket,
    parameters: Parameters,
    wanted: AccessControlList,
    current: AccessControlList,
    operation: str,
) -> None:
    """What an enforced bucket takes no list of, and what Block Public Access does not let through."""
    enforced = ownership_of(bucket) == ENFORCED and parameters.get("ACL") != _FULL_CONTROL
    if enforced and (asks_for_list(parameters) or wanted != current):
        raise AccessControlListNotSupported()
    if is_public(wanted.grants) and block_of(bucket, "BlockPublicAcls"):
        key = parameters.get("Key")
        arn = bucket.arn(caller.partition) + (f"/{key}" if key else "")
        raise AccessDenied(
            f"User: {caller.principal_arn} is not authorized to perform: s3:{operation} on resource:"
            f' "{arn}" because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3'
            " Block Public Access."
        )
