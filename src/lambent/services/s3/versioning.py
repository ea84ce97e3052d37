"""PutBucketVersioning and GetBucketVersioning."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import IllegalVersioningConfigurationException, unsupported


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
        await self._records.change(bucket.name, lambda bucket: replace(bucket, versioning=status))
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        status = self._records.require(caller, parameters).versioning
        return {} if status is None else {"Status": status}
