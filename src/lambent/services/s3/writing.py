"""PutObject, DeleteObject, DeleteObjects."""

import asyncio
from collections.abc import Mapping
from typing import Any

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Client, Operation
from lambent.model.stored_object import NULL_VERSION, ObjectVersion, WriteCondition
from lambent.services.s3.acl import acl_of_new_object
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.checksums import checksum_members
from lambent.services.s3.conditions import unquoted, write_condition, write_refused
from lambent.services.s3.digests import digest_of
from lambent.services.s3.encryption import Encryptions, encryption_members
from lambent.services.s3.errors import (
    InvalidArgument,
    MalformedXML,
    NoSuchVersion,
    SlowDown,
    unsupported_header,
)
from lambent.services.s3.events import Events
from lambent.services.s3.garbage import Garbage
from lambent.services.s3.lifecycle import expiration_members
from lambent.services.s3.names import check_key
from lambent.services.s3.object_lock import is_locking, lock_of
from lambent.services.s3.properties import read_properties
from lambent.services.s3.version_ids import check_version_id, new_version_id
from lambent.store.ports.contents import ContentStore
from lambent.store.ports.errors import StoreError, StoreFullError
from lambent.store.ports.objects import ObjectStore

_DELETED_MOST = 1000


class Writing:
    def __init__(
        self,
        buckets: BucketRecords,
        objects: ObjectStore,
        contents: ContentStore,
        garbage: Garbage,
        events: Events,
        client: Client,
        encryptions: Encryptions,
        clock: Clock,
    ) -> None:
        self._buckets = buckets
        self._objects = objects
        self._contents = contents
        self._garbage = garbage
        self._events = events
        self._client = client
        self._encryptions = encryptions
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutObject": self.put,
            "DeleteObject": self.delete,
            "DeleteObjects": self.delete_many,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        check_key(parameters["Key"])
        acl = acl_of_new_object(caller, bucket, parameters)
        properties = read_properties(parameters)
        lock = lock_of(bucket, parameters, caller.headers, self._clock.now())
        condition = write_condition(parameters)
        body = parameters.get("Body", b"")
        digest = digest_of(parameters, caller.headers, body)
        sealing = await self._encryptions.of_new(caller, bucket, parameters)
        nonce, seal = sealing.begin()
        try:
            content = await self._contents.receive(body, digest, seal)
        except StoreFullError:
            raise SlowDown() from None
        version = ObjectVersion(
            bucket=bucket.name,
            key=parameters["Key"],
            version_id=version_id_for(bucket),
            modified_at=self._clock.now(),
            size=digest.size,
            etag=digest.etag,
            content=content.name,
            properties=properties,
            checksums=digest.checksums,
            checksum_type="FULL_OBJECT",
            lock=lock,
            encryption=sealing.encryption,
            nonce=nonce,
            acl=acl,
        )
        event = "ObjectCreated:Post" if parameters.get("ByForm") else "ObjectCreated:Put"
        await self.commit(caller, bucket, version, event, condition, content.data)
        return {**written_members(bucket, version), **checksum_members(version.checksums, "FULL_OBJECT")}

    async def commit(
        self,
        caller: Caller,
        bucket: Bucket,
        version: ObjectVersion,
        event: str,
        condition: WriteCondition | None,
        data: bytes | None = None,
    ) -> None:
        """Makes it the latest version, and tells whoever is to be told. `data` is what its content has."""
        notices = self._events.notices(bucket, event, version, caller)
        try:
            await self._objects.put(version, data=data, condition=condition, notices=notices)
        except StoreError as error:
            if version.content is not None and data is None:
                await self._garbage.refused(version.content, error)
            raise write_refused(error, bucket.name, version.key) from None
        self._events.committed(notices)
        self._garbage.look()

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        for member in ("IfMatchLastModifiedTime", "IfMatchSize"):
            if member in parameters:
                raise unsupported_header(f"x-amz-if-match-{member.removeprefix('IfMatch').lower()}")
        _check_bypass(bucket, parameters)
        version_id = parameters.get("VersionId")
        if version_id is not None:
            return await self._delete_version(caller, bucket, parameters, version_id)
        if bucket.versioning is None:
            await self._remove(caller, bucket, parameters, NULL_VERSION)
            return {}
        return await self._mark(caller, bucket, parameters)

    async def _delete_version(
        self, caller: Caller, bucket: Bucket, parameters: Parameters, version_id: str
    ) -> Parameters:
        check_version_id(version_id)
        removed = await self._remove(caller, bucket, parameters, version_id)
        output: Parameters = {"VersionId": version_id}
        if removed is not None and removed.delete_marker:
            output["DeleteMarker"] = True
        return output

    async def _remove(
        self, caller: Caller, bucket: Bucket, parameters: Parameters, version_id: str
    ) -> ObjectVersion | None:
        key = parameters["Key"]
        condition = _delete_condition(parameters)
        gone = ObjectVersion(
            bucket=bucket.name, key=key, version_id=version_id, modified_at=self._clock.now()
        )
        notices = self._events.notices(bucket, "ObjectRemoved:Delete", gone, caller)
        try:
            removed = await self._objects.delete(
                bucket.name,
                key,
                version_id,
                etag=condition.etag if condition else None,
                bypass=bool(parameters.get("BypassGovernanceRetention")),
                notices=notices,
                tell_anyway="OneOfMany" in parameters and "VersionId" not in parameters,
            )
        except StoreError as error:
            raise write_refused(error, bucket.name, key) from None
        self._events.committed(notices)
        if removed is not None:
            self._garbage.look()
        return removed

    async def _mark(self, caller: Caller, bucket: Bucket, parameters: Parameters) -> Parameters:
        marker = ObjectVersion(
            bucket=bucket.name,
            key=parameters["Key"],
            version_id=version_id_for(bucket),
            modified_at=self._clock.now(),
            delete_marker=True,
        )
        condition = _delete_condition(parameters)
        await self.commit(caller, bucket, marker, "ObjectRemoved:DeleteMarkerCreated", condition)
        return {"DeleteMarker": True, "VersionId": marker.version_id}

    async def delete_many(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Each with the checks of a DeleteObject of its own."""
        _check_bypass(self._buckets.require(caller, parameters), parameters)
        wanted = parameters["Delete"]["Objects"]
        if not 0 < len(wanted) <= _DELETED_MOST:
            raise MalformedXML()
        results = await asyncio.gather(*(self._delete_one(caller, parameters, one) for one in wanted))
        output: Parameters = {}
        deleted = [result for result in results if "Code" not in result]
        errors = [result for result in results if "Code" in result]
        if deleted and not parameters["Delete"].get("Quiet"):
            output["Deleted"] = deleted
        if errors:
            output["Errors"] = errors
        return output

    async def _delete_one(
        self, caller: Caller, parameters: Parameters, one: Mapping[str, Any]
    ) -> dict[str, Any]:
        named = {"Key": one["Key"]}
        if one.get("VersionId"):
            named["VersionId"] = one["VersionId"]
        # Of each key AWS tells that it was deleted, whether it was there or not; DeleteObject does not.
        request: Parameters = {"Bucket": parameters["Bucket"], "OneOfMany": True, **named}
        if "BypassGovernanceRetention" in parameters:
            request["BypassGovernanceRetention"] = parameters["BypassGovernanceRetention"]
        if one.get("ETag"):
            request["IfMatch"] = one["ETag"]
        try:
            output = await self._client("s3", "DeleteObject", caller, request)
        except ServiceException as error:
            if error.code == "InvalidArgument" and "VersionId" in named:
                error = NoSuchVersion()
            return {**named, "Code": error.code, "Message": error.message}
        if output.get("DeleteMarker"):
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": output["VersionId"]}
        return named


def version_id_for(bucket: Bucket) -> str:
    """Of a new version in this bucket."""
    return new_version_id() if bucket.versioning == "Enabled" else NULL_VERSION


def written_members(bucket: Bucket, version: ObjectVersion) -> Parameters:
    """What every operation that makes a version answers of it."""
    members: Parameters = {
        "ETag": f'"{version.etag}"',
        **encryption_members(version.encryption),
        **expiration_members(bucket, version),
    }
    if bucket.versioning == "Enabled":
        members["VersionId"] = version.version_id
    return members


def _check_bypass(bucket: Bucket, parameters: Parameters) -> None:
    if "BypassGovernanceRetention" in parameters and not is_locking(bucket):
        raise InvalidArgument(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            ArgumentName="x-amz-bypass-governance-retention",
        )


def _delete_condition(parameters: Parameters) -> WriteCondition | None:
    match = parameters.get("IfMatch")
    return None if match is None or match == "*" else WriteCondition(etag=unquoted(match))
