"""PutBucketLogging and GetBucketLogging: which bucket is told of the requests for another.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
"""

from collections.abc import Mapping

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.configurations import configured
from lambent.services.s3.errors import CrossLocationLoggingProhibitted, InvalidTargetBucketForLogging

LOGGING = "BucketLoggingStatus"
"""The name of the setting. It is not there where nothing is logged."""
_DEFAULT_REGION = "us-east-1"


class BucketLogging:
    def __init__(self, buckets: BucketRecords) -> None:
        self._buckets = buckets

    def operations(self) -> Mapping[str, Operation]:
        return {"PutBucketLogging": self.put, "GetBucketLogging": self.get}

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        enabled = (parameters.get(LOGGING) or {}).get("LoggingEnabled")
        if enabled is not None:
            self._check_target(bucket, enabled["TargetBucket"])
        setting = None if enabled is None else {"LoggingEnabled": enabled}
        await self._buckets.change(bucket.name, lambda bucket: configured(bucket, LOGGING, setting))
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return dict(self._buckets.require(caller, parameters).configurations.get(LOGGING) or {})

    def _check_target(self, bucket: Bucket, name: str) -> None:
        """Raises InvalidTargetBucketForLogging, CrossLocationLoggingProhibitted."""
        target = self._buckets.find(name)
        if target is None:
            raise InvalidTargetBucketForLogging(
                "The target bucket for logging does not exist", TargetBucket=name
            )
        if target.account_id != bucket.account_id:
            raise InvalidTargetBucketForLogging(
                "The owner for the bucket to be logged and the target bucket must be the same.",
                TargetBucket=name,
            )
        if target.region != bucket.region:
            here = {"SourceBucketLocation": bucket.region} if bucket.region != _DEFAULT_REGION else {}
            raise CrossLocationLoggingProhibitted(**here, TargetBucketLocation=target.region)
