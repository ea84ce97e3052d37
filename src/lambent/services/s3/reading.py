"""GetObject and HeadObject."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Client, Operation
from lambent.model.stored_object import ObjectVersion, Part
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.checksums import checksum_members
from lambent.services.s3.conditions import check_read
from lambent.services.s3.encryption import Encryptions, check_customer_key, encryption_members
from lambent.services.s3.errors import InvalidArgument, InvalidPartNumber, InvalidRequest, NoSuchKey
from lambent.services.s3.lifecycle import expiration_members
from lambent.services.s3.object_bytes import ObjectBytes
from lambent.services.s3.object_lock import lock_members
from lambent.services.s3.object_lookup import ObjectLookup, shown_version_id
from lambent.services.s3.properties import property_members
from lambent.services.s3.ranges import ByteRange, read_range
from lambent.services.s3.storage_classes import check_readable, restore_members
from lambent.store.ports.errors import ContentMissingError
from lambent.store.ports.uploads import UploadStore

PART_NUMBER_MOST = 10_000
_NOT_AT_HAND = "The operation is not valid for the object's storage class"
_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """What a request asks for: of `version`, the bytes of `part` where there is one, or of `range`, or all."""

    version: ObjectVersion
    range: ByteRange | None
    part: Part | None = None


class Reading:
    def __init__(
        self,
        buckets: BucketRecords,
        lookup: ObjectLookup,
        uploads: UploadStore,
        files: ObjectBytes,
        client: Client,
        encryptions: Encryptions,
        clock: Clock,
    ) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._uploads = uploads
        self._files = files
        self._client = client
        self._encryptions = encryptions
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {"GetObject": self.get, "HeadObject": self.head}

    async def head(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        found = await self._find(caller, bucket, parameters, "HEAD")
        check_customer_key(found.version.encryption, parameters)
        return _members(bucket, parameters, found, self._clock.now())

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        found = await self._find(caller, bucket, parameters, "GET")
        check_readable(found.version, self._clock.now(), _NOT_AT_HAND)
        try:
            body = await self._body(caller, bucket, parameters, found)
        except ContentMissingError:  # replaced since: what took its place is read
            found = await self._find(caller, bucket, parameters, "GET")
            try:
                body = await self._body(caller, bucket, parameters, found)
            except ContentMissingError:
                raise NoSuchKey(Key=parameters["Key"]) from None
        return {**_members(bucket, parameters, found, self._clock.now()), "Body": body}

    async def _body(
        self, caller: Caller, bucket: Bucket, parameters: Parameters, found: _Found
    ) -> bytes | AsyncIterator[bytes]:
        version = found.version
        key = await self._encryptions.key_of(caller, bucket, version.encryption, parameters)
        return await self._files.read(version, found.range or ByteRange(0, version.size - 1), key)

    async def _find(self, caller: Caller, bucket: Bucket, parameters: Parameters, method: str) -> _Found:
        try:
            version = await self._lookup.find(bucket, parameters, method)
        except NoSuchKey:
            # That a key is not there is for those to know who may list the bucket.
            await self._client("s3", "HeadBucket", caller, {"Bucket": bucket.name})
            raise
        check_read(parameters, version, self._clock.now())
        number = parameters.get("PartNumber")
        if number is None:
            return _Found(version, read_range(parameters.get("Range"), version.size))
        if "Range" in parameters:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        return await self._find_part(version, number)

    async def _find_part(self, version: ObjectVersion, number: int) -> _Found:
        """An object that came in one piece has one part."""
        if not 1 <= number <= PART_NUMBER_MOST:
            raise InvalidArgument(
                f"Part number must be an integer between 1 and {PART_NUMBER_MOST}, inclusive",
                ArgumentName="partNumber",
                ArgumentValue=number,
            )
        count = version.part_count or 1
        if number > count:
            raise InvalidPartNumber(PartNumberRequested=number, ActualPartCount=count)
        if version.parts_of is None:
            return _Found(version, ByteRange(0, version.size - 1) if version.size else None)
        (part,) = await self._uploads.parts(version.parts_of, after=number - 1, limit=1)
        return _Found(version, ByteRange(part.position, part.position + part.size - 1), part)


def _members(bucket: Bucket, parameters: Parameters, found: _Found, now: float) -> Parameters:
    version, taken = found.version, found.range
    members: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": float(int(version.modified_at)),
        "ContentLength": version.size if taken is None else taken.length,
        "ETag": f'"{version.etag}"',
        **encryption_members(version.encryption),
        **property_members(version.properties),
        **lock_members(version.lock),
        **restore_members(version, now),
    }
    if "VersionId" not in parameters:
        members |= expiration_members(bucket, version)
    version_id = shown_version_id(bucket, version)
    if version_id is not None:
        members["VersionId"] = version_id
    if taken is not None:
        members["ContentRange"] = taken.content_range(version.size)
    if version.part_count is not None and found.part is not None:
        members["PartsCount"] = version.part_count
    if version.properties.tags:
        members["TagCount"] = len(version.properties.tags)
    # Arrow and the common runtime write it in small letters.
    if (parameters.get("ChecksumMode") or "").upper() == "ENABLED":
        if found.part is not None:
            wanted = {
                name: found.part.checksums[name] for name in version.checksums if name in found.part.checksums
            }
            members |= checksum_members(wanted, version.checksum_type)
        elif taken is None or taken.length == version.size:
            members |= checksum_members(version.checksums, version.checksum_type)
    for override, member in _OVERRIDES.items():
        if parameters.get(override) is not None:
            members[member] = parameters[override]
    return members
