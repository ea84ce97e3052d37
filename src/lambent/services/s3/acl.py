"""Access control lists: read as AWS's default, which nobody can change here. What they once said, policies say better.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from collections.abc import Mapping

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import AccessControlListNotSupported, unsupported
from lambent.services.s3.object_lookup import ObjectLookup
from lambent.services.s3.owners import owner

_ENFORCED = "BucketOwnerEnforced"
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_OF_OWNER = frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"})


class InvalidBucketAclWithObjectOwnership(ServiceException):
    status = 400


class Acls:
    def __init__(self, buckets: BucketRecords, lookup: ObjectLookup) -> None:
        self._buckets = buckets
        self._lookup = lookup

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetBucketAcl": self.get_bucket,
            "PutBucketAcl": self.put_bucket,
            "GetObjectAcl": self.get_object,
            "PutObjectAcl": self.put_object,
        }

    async def get_bucket(self, caller: Caller, parameters: Parameters) -> Parameters:
        return _owner_alone(self._buckets.require(caller, parameters))

    async def put_bucket(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check_put(self._buckets.require(caller, parameters), parameters)
        return {}

    async def get_object(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        await self._lookup.find(bucket, parameters, "GET")
        return _owner_alone(bucket)

    async def put_object(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        await self._lookup.find(bucket, parameters, "PUT")
        _check_put(bucket, parameters)
        return {}


def refuse_grants(parameters: Parameters, ownership: str, *, of_bucket: bool) -> None:
    """What a request that makes a bucket or an object says of access: nothing but that it is the owner's."""
    acl = parameters.get("ACL")
    granted = any(parameters.get(member) for member in _GRANTS)
    if acl is None and not granted:
        return
    if ownership == _ENFORCED and of_bucket and (granted or acl not in _OF_OWNER):
        raise InvalidBucketAclWithObjectOwnership(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        )
    if ownership == _ENFORCED and not of_bucket and (granted or acl not in _OF_OWNER):
        raise AccessControlListNotSupported()
    if granted or acl not in _OF_OWNER:
        raise unsupported("access control lists other than the owner's own; use a bucket policy.")


def ownership_of(bucket: Bucket) -> str:
    """Where ownership controls were deleted, AWS goes by ObjectWriter."""
    controls = bucket.configurations.get("OwnershipControls")
    return str(controls["Rules"][0]["ObjectOwnership"]) if controls else "ObjectWriter"


def _check_put(bucket: Bucket, parameters: Parameters) -> None:
    if parameters.get("ACL") in _OF_OWNER and ownership_of(bucket) != _ENFORCED:
        return
    if parameters.get("ACL") == "bucket-owner-full-control":
        return
    given = (parameters.get("AccessControlPolicy") or {}).get("Grants")
    if given is not None and given == _owner_alone(bucket)["Grants"]:
        return
    if ownership_of(bucket) == _ENFORCED:
        raise AccessControlListNotSupported()
    raise unsupported("access control lists other than the owner's own; use a bucket policy.")


def _owner_alone(bucket: Bucket) -> Parameters:
    grantee = {**owner(bucket.account_id), "Type": "CanonicalUser"}
    return {
        "Owner": owner(bucket.account_id),
        "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}],
    }
