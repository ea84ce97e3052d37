"""S3 buckets."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.bucket import Bucket


class BucketStore(Protocol):
    async def insert(self, bucket: Bucket) -> None:
        """Raises AlreadyExistsError: names are unique, whoever owns the bucket."""
        ...

    async def all(self) -> Sequence[Bucket]:
        """By name."""
        ...

    async def replace(self, bucket: Bucket, *, previous: Bucket) -> None:
        """Raises NotFoundError; StaleRevisionError where the stored one is not `previous`."""
        ...

    async def delete(self, name: str) -> None:
        """Uploads in progress are aborted with it. Raises NotFoundError; NotEmptyError where it has a version or a
        delete marker."""
        ...
