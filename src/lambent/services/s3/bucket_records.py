"""All buckets, in memory, written through: every request asks for one, and there are few.

Whoever changes a bucket does so here, so that what is remembered is what is stored.
"""

import asyncio
from collections.abc import Callable, Iterable

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.services.s3.errors import AccessDenied, NoSuchBucket
from lambent.services.s3.requester_pays import check_payer
from lambent.store.ports.buckets import BucketStore

_MENDING = frozenset({"PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"})


class BucketRecords:
    """`load` before the first request."""

    def __init__(self, store: BucketStore) -> None:
        self._store = store
        self._buckets: dict[str, Bucket] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Also again, when another node has changed some."""
        async with self._changing:
            self._buckets = {bucket.name: bucket for bucket in await self._store.all()}

    def find(self, name: str) -> Bucket | None:
        return self._buckets.get(name)

    def require(self, caller: Caller, parameters: Parameters) -> Bucket:
        """The bucket that a request names. Raises NoSuchBucket; AccessDenied where it is not the expected owner's, or
        the requester is to pay and does not say so."""
        name = parameters["Bucket"]
        bucket = self._buckets.get(name)
        if bucket is None:
            raise NoSuchBucket(BucketName=name)
        expected = parameters.get("ExpectedBucketOwner")
        if expected is not None and expected != bucket.account_id:
            raise AccessDenied("Access Denied")
        check_payer(bucket, caller, parameters)
        return bucket

    def of_account(self, account_id: str) -> list[Bucket]:
        """By name."""
        owned = [bucket for bucket in self._buckets.values() if bucket.account_id == account_id]
        return sorted(owned, key=lambda bucket: bucket.name)

    def all(self) -> Iterable[Bucket]:
        return list(self._buckets.values())

    async def insert(self, bucket: Bucket) -> None:
        """Raises AlreadyExistsError."""
        async with self._changing:
            await self._store.insert(bucket)
            self._buckets[bucket.name] = bucket

    async def change(self, name: str, edit: Callable[[Bucket], Bucket]) -> Bucket:
        """Raises NoSuchBucket, and what `edit` raises."""
        async with self._changing:
            bucket = self._buckets.get(name)
            if bucket is None:
                raise NoSuchBucket(BucketName=name)
            changed = edit(bucket)
            if changed != bucket:
                await self._store.replace(changed, previous=bucket)
                self._buckets[name] = changed
            return changed

    async def delete(self, name: str) -> None:
        """Raises NotFoundError, NotEmptyError."""
        async with self._changing:
            await self._store.delete(name)
            del self._buckets[name]

    def open_to_root(self, operation: str, caller: Caller, parameters: Parameters) -> bool:
        """model.service.Service.open_to_root. Whatever a policy denies, the owner's root can take it away."""
        bucket = self._buckets.get(parameters.get("Bucket", ""))
        if bucket is None or operation == "CreateBucket":  # which will say that the name is taken
            return True
        return bucket.account_id == caller.account_id and (bucket.policy is None or operation in _MENDING)
