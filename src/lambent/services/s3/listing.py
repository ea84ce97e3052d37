"""ListObjects, ListObjectsV2, ListObjectVersions.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.access import ANONYMOUS
from lambent.services.s3.acl import acl_of_object
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import InvalidArgument
from lambent.services.s3.owners import owner
from lambent.services.s3.storage_classes import restore_status
from lambent.services.s3.version_ids import check_version_id
from lambent.store.ports.objects import Listing, ListingQuery, ObjectStore

_PAGE_MOST = 1000
_NUMBER_MOST = 2**31 - 1
_More = Callable[[ObjectVersion], Parameters]
"""What is said of an entry beside what always is."""


class Listings:
    def __init__(self, buckets: BucketRecords, objects: ObjectStore, clock: Clock) -> None:
        self._buckets = buckets
        self._objects = objects
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "ListObjects": self.list,
            "ListObjectsV2": self.list_v2,
            "ListObjectVersions": self.list_versions,
        }

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        most = read_most(parameters, "MaxKeys", "maxKeys")
        marker = parameters.get("Marker", "")
        found = await self._current(bucket, parameters, marker, most)
        written = encoder(parameters)
        output: Parameters = {
            "BucketRegion": bucket.region,
            "Name": bucket.name,
            "Prefix": written(parameters.get("Prefix", "")),
            "Marker": written(marker),
            "MaxKeys": most,
            **_asked(parameters, written),
            "IsTruncated": found.last is not None,
        }
        if found.last is not None and parameters.get("Delimiter"):
            output["NextMarker"] = written(found.last)
        return output | _contents(
            found, written, self._more(bucket, parameters, with_owner=caller.account_id != ANONYMOUS)
        )

    async def list_v2(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        most = read_most(parameters, "MaxKeys", "maxKeys")
        token = parameters.get("ContinuationToken")
        after = parameters.get("StartAfter", "") if token is None else read_token(token)
        found = await self._current(bucket, parameters, after, most)
        written = encoder(parameters)
        output: Parameters = {
            "BucketRegion": bucket.region,
            "Name": bucket.name,
            "Prefix": written(parameters.get("Prefix", "")),
            "KeyCount": len(found.entries) + len(found.prefixes),
            "MaxKeys": most,
            **_asked(parameters, written),
            "IsTruncated": found.last is not None,
        }
        if token is not None:
            output["ContinuationToken"] = token
        elif "StartAfter" in parameters:
            output["StartAfter"] = written(parameters["StartAfter"])
        if found.last is not None:
            output["NextContinuationToken"] = token_of(found.last)
        more = self._more(bucket, parameters, with_owner=bool(parameters.get("FetchOwner")))
        return output | _contents(found, written, more)

    def _more(self, bucket: Bucket, parameters: Parameters, *, with_owner: bool) -> _More:
        bucket_owner = {"Owner": owner(bucket.account_id)}
        with_status = "RestoreStatus" in parameters.get("OptionalObjectAttributes", ())
        now = self._clock.now()

        def more(version: ObjectVersion) -> Parameters:
            shown = {} if not with_owner else bucket_owner
            if with_owner and version.acl is not None:
                shown = {"Owner": owner(acl_of_object(bucket, version.acl).owner)}
            return shown | restore_status(version, now) if with_status else shown

        return more

    async def _current(self, bucket: Bucket, parameters: Parameters, after: str, most: int) -> Listing:
        return (
            await self._objects.list_current(_query(bucket, parameters, after, most)) if most else Listing()
        )

    async def list_versions(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        most = read_most(parameters, "MaxKeys", "maxKeys")
        marker, version_marker = parameters.get("KeyMarker", ""), parameters.get("VersionIdMarker", "")
        if version_marker and not marker:
            raise InvalidArgument(
                "A version-id marker cannot be specified without a key marker.",
                ArgumentName="version-id-marker",
                ArgumentValue=version_marker,
            )
        check_version_id(version_marker or None)
        query = _query(bucket, parameters, marker, most, version_marker or None)
        found = await self._objects.list_versions(query) if most else Listing()
        written = encoder(parameters)
        output: Parameters = {
            "Name": bucket.name,
            "Prefix": written(parameters.get("Prefix", "")),
            "KeyMarker": written(marker),
            "VersionIdMarker": version_marker,
            "MaxKeys": most,
            **_asked(parameters, written),
            "IsTruncated": found.last is not None,
        }
        if found.last is not None:
            output["NextKeyMarker"] = written(found.last)
            if found.last_version_id is not None:
                output["NextVersionIdMarker"] = found.last_version_id
        return output | _versions(found, written, self._more(bucket, parameters, with_owner=True))


def _versions(found: Listing, written: Callable[[str], str], more: _More) -> Parameters:
    versions, markers = [], []
    for entry in found.entries:
        version = entry.version
        members = {
            **more(version),
            "VersionId": version.version_id,
            "IsLatest": entry.latest,
        }
        if version.delete_marker:
            key = {"Key": written(version.key), "LastModified": float(int(version.modified_at))}
            markers.append(key | members)
        else:
            versions.append(_listed(version, written) | members)
    output: Parameters = {}
    if versions:
        output["Versions"] = versions
    if markers:
        output["DeleteMarkers"] = markers
    return output | _prefixes(found, written)


def _contents(found: Listing, written: Callable[[str], str], more: _More) -> Parameters:
    output: Parameters = {}
    if found.entries:
        output["Contents"] = [
            _listed(entry.version, written) | more(entry.version) for entry in found.entries
        ]
    return output | _prefixes(found, written)


def _prefixes(found: Listing, written: Callable[[str], str]) -> Parameters:
    if not found.prefixes:
        return {}
    return {"CommonPrefixes": [{"Prefix": written(prefix)} for prefix in found.prefixes]}


def _listed(version: ObjectVersion, written: Callable[[str], str]) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "Key": written(version.key),
        "LastModified": float(int(version.modified_at)),
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.properties.storage_class,
    }
    if version.checksums:
        listed["ChecksumAlgorithm"] = list(version.checksums)
        listed["ChecksumType"] = version.checksum_type
    return listed


def _query(
    bucket: Bucket, parameters: Parameters, after: str, most: int, version_id: str | None = None
) -> ListingQuery:
    return ListingQuery(
        bucket=bucket.name,
        prefix=parameters.get("Prefix", ""),
        delimiter=parameters.get("Delimiter", ""),
        after=after,
        after_version_id=version_id,
        limit=most,
    )


def read_most(parameters: Parameters, member: str, argument: str) -> int:
    """The size of a page, a thousand at most. Raises InvalidArgument."""
    most: int = parameters.get(member, _PAGE_MOST)
    if not 0 <= most <= _NUMBER_MOST:
        raise InvalidArgument(
            f"Argument {argument} must be an integer between 0 and {_NUMBER_MOST}",
            ArgumentName=argument,
            ArgumentValue=most,
        )
    return min(most, _PAGE_MOST)


def encoder(parameters: Parameters) -> Callable[[str], str]:
    """How keys are written: with encoding-type=url, so that any of them fits into XML."""
    return quote if parameters.get("EncodingType") == "url" else str


def _asked(parameters: Parameters, written: Callable[[str], str]) -> Parameters:
    asked: Parameters = {}
    if parameters.get("Delimiter"):
        asked["Delimiter"] = written(parameters["Delimiter"])
    if "EncodingType" in parameters:
        asked["EncodingType"] = parameters["EncodingType"]
    return asked


def token_of(last: str) -> str:
    return urlsafe_b64encode(last.encode()).decode()


def read_token(text: str) -> str:
    try:
        after = urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        after = ""
    if not after or "\0" in after or token_of(after) != text:
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token"
        )
    return after
