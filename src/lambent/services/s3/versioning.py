"""PutBucketVersioning and GetBucketVersioning."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import (
    IllegalVersioningConfigurationException,
    InvalidBucketState,
    unsupported,
)
from lambent.services.s3.object_lock import is_locking


class BucketVersioning:
    def __init__(self, records: BucketRecords) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {"PutBucketVersioning": self.put, "GetBucketVersioning": self.get}

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        configuration = parameters.get("VersioningConfiguration") or {}
        if configuration.get("MFADelete") == "Enabled":
            raise unsupported("MFA delete.")
        status = configuration.get("Status")
        if status is None:
            raise IllegalVersioningConfigurationException()

        def edit(bucket: Bucket) -> Bucket:
            if status != "Enabled" and is_locking(bucket):
                raise InvalidBucketState(
                    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
                )
            return replace(bucket, versioning=status)

        await self._records.change(bucket.name, edit)
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        status = self._records.require(caller, parameters).versioning
        return {} if status is None else {"Status": status}
