"""PutObjectTagging, GetObjectTagging, DeleteObjectTagging."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import NoSuchKey
from lambent.services.s3.object_changes import ObjectChanges
from lambent.services.s3.object_lookup import ObjectLookup, version_members
from lambent.services.s3.tags import as_mapping, as_tag_set, parse_tag_set


class ObjectTags:
    def __init__(self, buckets: BucketRecords, lookup: ObjectLookup, changes: ObjectChanges) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._changes = changes

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutObjectTagging": self.put,
            "GetObjectTagging": self.get,
            "DeleteObjectTagging": self.delete,
        }

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        try:
            version = await self._lookup.find(bucket, parameters, "GET", marker_hides=False)
        except NoSuchKey:
            # As recorded: of all operations, this one tells the key with its bucket.
            raise NoSuchKey(Key=f"{bucket.name}/{parameters['Key']}") from None
        return version_members(bucket, version) | {"TagSet": as_tag_set(version.properties.tags)}

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        tags = as_mapping(parse_tag_set(parameters["Tagging"]["TagSet"]))
        return await self._replace(caller, parameters, tags, "Put")

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        return await self._replace(caller, parameters, {}, "Delete")

    async def _replace(
        self, caller: Caller, parameters: Parameters, tags: Mapping[str, str], what: str
    ) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, what.upper(), marker_hides=False)
        tagged = replace(version, properties=replace(version.properties, tags=tags))
        await self._changes.make(caller, bucket, version, tagged, f"ObjectTagging:{what}")
        return version_members(bucket, version)
