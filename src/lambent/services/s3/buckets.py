"""Buckets: CreateBucket, ListBuckets, HeadBucket, GetBucketLocation, DeleteBucket."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambent.base.clock import Clock
from lambent.base.page_tokens import read_token, write_token
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.acl import acl_of_new_bucket
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraintException,
    InvalidArgument,
    InvalidLocationConstraint,
    NoSuchBucket,
    unsupported,
)
from lambent.services.s3.names import check_bucket_name, check_namespace
from lambent.services.s3.object_lock import CONFIGURATION, ENABLED
from lambent.services.s3.owners import owner
from lambent.services.s3.tags import parse_tag_set
from lambent.store.ports.errors import AlreadyExistsError, NotEmptyError, NotFoundError
from lambent.wire.service import load_service

_DEFAULT_REGION = "us-east-1"
_OLD_NAMES = {"EU": "eu-west-1"}
_OWNERSHIPS = ("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")
_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_PAGE_MOST = 10_000


class Buckets:
    def __init__(self, records: BucketRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateBucket": self.create,
            "ListBuckets": self.list,
            "HeadBucket": self.head,
            "GetBucketLocation": self.get_location,
            "DeleteBucket": self.delete,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["Bucket"]
        check_bucket_name(name)
        ownership = _ownership(parameters)
        acl = acl_of_new_bucket(caller, parameters, ownership)
        locking = bool(parameters.get("ObjectLockEnabledForBucket"))
        given = parameters.get("CreateBucketConfiguration") or {}
        region = _region(caller, given)
        check_namespace(name, parameters.get("BucketNamespace"), caller.account_id, region)
        configurations: dict[str, Any] = {
            "OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]},
            "PublicAccessBlockConfiguration": dict(_PRIVATE),
        }
        if locking:
            configurations[CONFIGURATION] = dict(ENABLED)
        if given.get("Tags"):
            configurations["Tagging"] = {"TagSet": parse_tag_set(given["Tags"], of_bucket=True)}
        bucket = Bucket(
            name=name,
            account_id=caller.account_id,
            region=region,
            created_at=float(int(self._clock.now())),
            versioning="Enabled" if locking else None,
            acl=acl,
            configurations=configurations,
        )
        try:
            await self._records.insert(bucket)
        except AlreadyExistsError:
            self._refuse_second(bucket)
        location = f"/{name}" if region == _DEFAULT_REGION else f"http://{name}.s3.amazonaws.com/"
        return {"Location": location}

    def _refuse_second(self, bucket: Bucket) -> None:
        """Creating one's own bucket again is no error in us-east-1, for historical reasons."""
        existing = self._records.find(bucket.name)
        if existing is None or existing.account_id != bucket.account_id:
            raise BucketAlreadyExists(BucketName=bucket.name)
        if bucket.region != _DEFAULT_REGION or existing.region != _DEFAULT_REGION:
            raise BucketAlreadyOwnedByYou(BucketName=bucket.name)

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        most = parameters.get("MaxBuckets", _PAGE_MOST)
        prefix = parameters.get("Prefix", "")
        region = parameters.get("BucketRegion")
        after = _read_token(parameters.get("ContinuationToken"))
        found = [
            bucket
            for bucket in self._records.of_account(caller.account_id)
            if bucket.name > after
            and bucket.name.startswith(prefix)
            and (region is None or bucket.region == region)
        ]
        # AWS says the region only where something of a page or a filter is asked for.
        with_region = not parameters.keys().isdisjoint(
            ("MaxBuckets", "Prefix", "BucketRegion", "ContinuationToken")
        )
        output: Parameters = {
            "Owner": owner(caller.account_id),
            "Buckets": [_listed(bucket, with_region) for bucket in found[:most]],
        }
        if "Prefix" in parameters:
            output["Prefix"] = prefix
        if len(found) > most:
            output["ContinuationToken"] = write_token(found[most - 1].name)
        return output

    async def head(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        return {"BucketRegion": bucket.region, "AccessPointAlias": False}

    async def get_location(self, caller: Caller, parameters: Parameters) -> Parameters:
        region = self._records.require(caller, parameters).region
        return {} if region == _DEFAULT_REGION else {"LocationConstraint": region}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        try:
            await self._records.delete(bucket.name)
        except NotFoundError:
            raise NoSuchBucket(BucketName=bucket.name) from None
        except NotEmptyError:
            versions = " You must delete all versions in the bucket." if bucket.versioning else ""
            raise BucketNotEmpty(
                f"The bucket you tried to delete is not empty{'.' if versions else ''}{versions}",
                BucketName=bucket.name,
            ) from None
        return {}


def _ownership(parameters: Parameters) -> str:
    ownership: str = parameters.get("ObjectOwnership", "BucketOwnerEnforced")
    if ownership not in _OWNERSHIPS:
        raise InvalidArgument(
            f"Invalid x-amz-object-ownership header: {ownership}", ArgumentName="x-amz-object-ownership"
        )
    return ownership


def _region(caller: Caller, given: Parameters) -> str:
    """Where the bucket shall be. The endpoint of us-east-1 makes buckets everywhere, any other only at home."""
    if given.get("Location") or given.get("Bucket"):
        raise unsupported("directory buckets.")
    constraint: str | None = given.get("LocationConstraint")
    wanted = _OLD_NAMES.get(constraint, constraint) if constraint else None
    if caller.region == _DEFAULT_REGION:
        if constraint is not None and constraint not in _constraints():
            raise InvalidLocationConstraint(LocationConstraint=constraint)
        return wanted or _DEFAULT_REGION
    if wanted != caller.region:
        raise IllegalLocationConstraintException(
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint"
            " this request was sent to."
        )
    return caller.region


@cache
def _constraints() -> frozenset[str]:
    """Regions that a bucket can be asked for in, and names that they once had: us-east-1 is not among them."""
    shape: Any = load_service("s3").model.shape_for("BucketLocationConstraint")
    return frozenset(shape.enum)


def _listed(bucket: Bucket, with_region: bool) -> dict[str, Any]:
    listed: dict[str, Any] = {"Name": bucket.name, "CreationDate": bucket.created_at}
    if with_region:
        listed["BucketRegion"] = bucket.region
    return listed


def _read_token(token: str | None) -> str:
    if token is None:
        return ""
    try:
        return read_token(token)
    except ValueError:
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token"
        ) from None
