"""What buckets hold, measured once a day: BucketSizeBytes and NumberOfObjects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

import asyncio
import logging

from lambent.model.metric import Metrics
from lambent.services.s3.bucket_records import BucketRecords
from lambent.store.ports.errors import StoreClosedError, StoreError
from lambent.store.ports.objects import ObjectStore

log = logging.getLogger(__name__)

_EVERY_SECONDS = 86_400.0
_STORAGE_TYPES = {
    "STANDARD": "StandardStorage",
    "REDUCED_REDUNDANCY": "ReducedRedundancyStorage",
    "STANDARD_IA": "StandardIAStorage",
    "ONEZONE_IA": "OneZoneIAStorage",
    "INTELLIGENT_TIERING": "IntelligentTieringFAStorage",
    "GLACIER_IR": "GlacierInstantRetrievalStorage",
    "GLACIER": "GlacierStorage",
    "DEEP_ARCHIVE": "DeepArchiveStorage",
}


class Usage:
    def __init__(self, buckets: BucketRecords, objects: ObjectStore, metrics: Metrics) -> None:
        self._buckets = buckets
        self._objects = objects
        self._metrics = metrics

    async def run(self) -> None:
        while True:
            try:
                await self.measure()
            except StoreClosedError:
                return
            except StoreError:
                log.exception("what buckets hold was not measured; next attempt in a day")
            await asyncio.sleep(_EVERY_SECONDS)

    async def measure(self) -> None:
        for bucket in self._buckets.all():
            usage = await self._objects.usage(bucket.name)
            for storage_class, size in usage.size_by_class.items():
                self._put(
                    bucket.account_id,
                    bucket.region,
                    "BucketSizeBytes",
                    size,
                    "Bytes",
                    bucket.name,
                    _STORAGE_TYPES[storage_class],
                )
            self._put(
                bucket.account_id,
                bucket.region,
                "NumberOfObjects",
                usage.count,
                "Count",
                bucket.name,
                "AllStorageTypes",
            )

    def _put(
        self, account_id: str, region: str, name: str, value: float, unit: str, bucket: str, storage_type: str
    ) -> None:
        dimensions = {"BucketName": bucket, "StorageType": storage_type}
        self._metrics.put(account_id, region, "AWS/S3", name, value, unit=unit, dimensions=dimensions)
