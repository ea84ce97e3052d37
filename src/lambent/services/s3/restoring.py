"""RestoreObject: a copy of an archived object that can be read for some days. It is there when the request is
answered, whatever the tier.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
"""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import InvalidArgument, InvalidObjectState, MalformedXML, unsupported
from lambent.services.s3.lifecycle_rules import due_at
from lambent.services.s3.object_changes import ObjectChanges
from lambent.services.s3.object_lookup import ObjectLookup
from lambent.services.s3.storage_classes import ARCHIVED, is_restored

_SELECTING = ("Type", "SelectParameters", "OutputLocation")


class Restoring:
    def __init__(
        self, buckets: BucketRecords, lookup: ObjectLookup, changes: ObjectChanges, clock: Clock
    ) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._changes = changes
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {"RestoreObject": self.restore}

    async def restore(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Answers 202 for a new copy, 200 where one is kept for another time."""
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, "POST", marker_hides=False)
        storage_class = version.properties.storage_class
        if storage_class not in ARCHIVED:
            raise InvalidObjectState(
                "Restore is not allowed for the object's current storage class", StorageClass=storage_class
            )
        days = _days(parameters.get("RestoreRequest") or {}, storage_class)
        now = self._clock.now()
        again = is_restored(version, now)
        restored = replace(version, restored_until=due_at(now, days))
        events = () if again else ("ObjectRestore:Post", "ObjectRestore:Completed")
        await self._changes.make(caller, bucket, version, restored, *events)
        return {"HTTPStatusCode": 200 if again else 202}


def _days(request: Parameters, storage_class: str) -> int:
    """Raises MalformedXML, InvalidArgument, NotImplemented."""
    if any(member in request for member in _SELECTING):
        raise unsupported("S3 Select.")
    days = request.get("Days")
    if days is None:
        raise MalformedXML()
    if days < 1:
        raise InvalidArgument(
            "restoration days should be at least 1", ArgumentName="Days", ArgumentValue=days
        )
    tier = request.get("Tier") or (request.get("GlacierJobParameters") or {}).get("Tier")
    if tier == "Expedited" and storage_class == "DEEP_ARCHIVE":
        raise InvalidArgument(
            "Retrieval option is not supported by this storage class",
            ArgumentName="Tier",
            ArgumentValue=tier,
        )
    return int(days)
