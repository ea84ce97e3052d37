"""PutObjectTagging, GetObjectTagging, DeleteObjectTagging."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import NoSuchKey, OperationAborted
from lambent.services.s3.events import Events
from lambent.services.s3.object_lookup import ObjectLookup, shown_version_id
from lambent.services.s3.tags import as_mapping, as_tag_set, parse_tag_set
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.objects import ObjectStore


class ObjectTags:
    def __init__(
        self, buckets: BucketRecords, lookup: ObjectLookup, objects: ObjectStore, events: Events
    ) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._objects = objects
        self._events = events

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutObjectTagging": self.put,
            "GetObjectTagging": self.get,
            "DeleteObjectTagging": self.delete,
        }

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, "GET")
        return _named(bucket, version) | {"TagSet": as_tag_set(version.properties.tags)}

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        tags = as_mapping(parse_tag_set(parameters["Tagging"]["TagSet"]))
        return await self._replace(caller, parameters, tags, "Put")

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        return await self._replace(caller, parameters, {}, "Delete")

    async def _replace(
        self, caller: Caller, parameters: Parameters, tags: Mapping[str, str], what: str
    ) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, what.upper())
        tagged = replace(version, properties=replace(version.properties, tags=tags))
        notices = self._events.notices(bucket, f"ObjectTagging:{what}", tagged, caller)
        try:
            await self._objects.replace(tagged, previous=version, notices=notices)
        except NotFoundError:
            raise NoSuchKey(Key=version.key) from None
        except StaleRevisionError:
            raise OperationAborted() from None
        self._events.committed(notices)
        return _named(bucket, version)


def _named(bucket: Bucket, version: ObjectVersion) -> Parameters:
    version_id = shown_version_id(bucket, version)
    return {} if version_id is None else {"VersionId": version_id}
