"""GetObjectAttributes."""

from collections.abc import Mapping
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.checksums import checksum_members, member_of
from lambent.services.s3.encryption import check_customer_key
from lambent.services.s3.errors import InvalidArgument
from lambent.services.s3.object_lookup import ObjectLookup, shown_version_id
from lambent.store.ports.uploads import UploadStore

_PARTS_MOST = 1000


class Attributes:
    def __init__(self, buckets: BucketRecords, lookup: ObjectLookup, uploads: UploadStore) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._uploads = uploads

    def operations(self) -> Mapping[str, Operation]:
        return {"GetObjectAttributes": self.get}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        wanted = parameters["ObjectAttributes"]
        if not wanted:
            raise InvalidArgument(
                "Invalid attribute name specified.", ArgumentName="x-amz-object-attributes", ArgumentValue=""
            )
        version = await self._lookup.find(bucket, parameters, "GET")
        check_customer_key(version.encryption, parameters)
        output: Parameters = {"LastModified": float(int(version.modified_at))}
        version_id = shown_version_id(bucket, version)
        if version_id is not None:
            output["VersionId"] = version_id
        if "ETag" in wanted:
            output["ETag"] = version.etag
        if "Checksum" in wanted and version.checksums:
            # The number of parts behind a composite checksum is ObjectParts' to say.
            plain = {name: value.partition("-")[0] for name, value in version.checksums.items()}
            output["Checksum"] = checksum_members(plain, version.checksum_type)
        if "ObjectParts" in wanted and version.parts_of is not None:
            output["ObjectParts"] = await self._parts(version, parameters)
        if "StorageClass" in wanted:
            output["StorageClass"] = version.properties.storage_class
        if "ObjectSize" in wanted:
            output["ObjectSize"] = version.size
        return output

    async def _parts(self, version: ObjectVersion, parameters: Parameters) -> Mapping[str, Any]:
        """The parts are only listed one by one where they have checksums that the object's was made of."""
        assert version.parts_of is not None
        if version.checksum_type != "COMPOSITE":
            return {"TotalPartsCount": version.part_count}
        marker = parameters.get("PartNumberMarker", 0)
        most = min(parameters.get("MaxParts", _PARTS_MOST), _PARTS_MOST)
        found = await self._uploads.parts(version.parts_of, after=marker, limit=most + 1)
        shown = found[:most]
        return {
            "TotalPartsCount": version.part_count,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1].number if shown else 0,
            "MaxParts": most,
            "IsTruncated": len(found) > most,
            "Parts": [
                {
                    "PartNumber": part.number,
                    "Size": part.size,
                    **{
                        member_of(name): part.checksums[name]
                        for name in version.checksums
                        if name in part.checksums
                    },
                }
                for part in shown
            ],
        }
