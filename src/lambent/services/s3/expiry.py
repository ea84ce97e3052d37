"""Carries out lifecycle rules: objects move to other storage classes and expire, versions that nobody sees go, uploads
that nobody completes are aborted.

A rule's days are counted as S3 does: from the moment, rounded up to the next midnight UTC.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock, Jumps
from lambent.model.bucket import Bucket
from lambent.model.caller import service_caller
from lambent.model.stored_object import ListedVersion, ObjectVersion
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.delivery import S3
from lambent.services.s3.events import Events
from lambent.services.s3.garbage import Garbage
from lambent.services.s3.lifecycle import expires_at
from lambent.services.s3.lifecycle_rules import LIFECYCLE, applies, due_at, prefix_of
from lambent.services.s3.transitions import due_class, moves
from lambent.services.s3.writing import version_id_for
from lambent.store.ports.errors import (
    LockedError,
    NotFoundError,
    StaleRevisionError,
    StoreClosedError,
    StoreError,
)
from lambent.store.ports.objects import ListingQuery, ObjectStore
from lambent.store.ports.uploads import UploadStore

log = logging.getLogger(__name__)

_EVERY_SECONDS = 3600.0
_PAGE = 1000


class Expiry:
    def __init__(
        self,
        buckets: BucketRecords,
        objects: ObjectStore,
        uploads: UploadStore,
        events: Events,
        garbage: Garbage,
        clock: Clock,
    ) -> None:
        self._buckets = buckets
        self._objects = objects
        self._uploads = uploads
        self._events = events
        self._garbage = garbage
        self._clock = clock
        self._jumps = Jumps(clock)

    async def run(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(_EVERY_SECONDS)

    async def sweep(self) -> None:
        """Once through all buckets that have rules."""
        for bucket in self._buckets.all():
            rules = (bucket.configurations.get(LIFECYCLE) or {}).get("Rules", ())
            for rule in rules:
                if rule["Status"] != "Enabled":
                    continue
                try:
                    await self._carry_out(bucket, rule)
                except StoreClosedError:
                    return
                except StoreError:
                    log.exception(
                        "a lifecycle rule of %s was not carried out; next attempt in an hour", bucket.name
                    )

    async def _carry_out(self, bucket: Bucket, rule: Mapping[str, Any]) -> None:
        expiration = rule.get("Expiration") or {}
        if expiration.get("Days") or expiration.get("Date") or rule.get("Transitions"):
            await self._expire(bucket, rule, expiration)
        noncurrent = rule.get("NoncurrentVersionExpiration") or rule.get("NoncurrentVersionTransitions")
        if noncurrent or expiration.get("ExpiredObjectDeleteMarker"):
            await self._expire_versions(bucket, rule, expiration)
        abort = rule.get("AbortIncompleteMultipartUpload")
        if abort:
            await self._abort_uploads(bucket, rule, abort["DaysAfterInitiation"])

    async def _expire(self, bucket: Bucket, rule: Mapping[str, Any], expiration: Mapping[str, Any]) -> None:
        now = self._jumps.believed()
        async for entry in self._entries(bucket, prefix_of(rule), current=True):
            version = entry.version
            if not applies(rule, version):
                continue
            due = expires_at(expiration, version)
            if due is not None and now >= due:
                await self._end(bucket, version)
            else:
                storage_class = due_class(rule.get("Transitions") or (), version.modified_at, now)
                await self._move(bucket, rule, version, storage_class)

    async def _move(
        self, bucket: Bucket, rule: Mapping[str, Any], version: ObjectVersion, storage_class: str | None
    ) -> None:
        if storage_class is None or not moves(bucket, rule, version, storage_class):
            return
        moved = replace(version, properties=replace(version.properties, storage_class=storage_class))
        notices = self._events.notices(bucket, "LifecycleTransition", moved, _caller(bucket))
        try:
            await self._objects.replace(moved, previous=version, notices=notices)
        except (NotFoundError, StaleRevisionError):
            return
        self._events.committed(notices)

    async def _end(self, bucket: Bucket, version: ObjectVersion) -> None:
        """As a delete without a version does, unless the object was put anew in between."""
        if bucket.versioning is None:
            await self._remove(bucket, version)
            return
        marker = ObjectVersion(
            bucket=bucket.name,
            key=version.key,
            version_id=version_id_for(bucket),
            modified_at=self._clock.now(),
            delete_marker=True,
        )
        current = await self._objects.get(bucket.name, version.key)
        if current != version:
            return
        event = "LifecycleExpiration:DeleteMarkerCreated"
        notices = self._events.notices(bucket, event, marker, _caller(bucket))
        await self._objects.put(marker, notices=notices)
        self._events.committed(notices)
        self._garbage.look()

    async def _remove(self, bucket: Bucket, version: ObjectVersion) -> None:
        notices = self._events.notices(bucket, "LifecycleExpiration:Delete", version, _caller(bucket))
        try:
            await self._objects.delete(
                bucket.name, version.key, version.version_id, etag=version.etag, notices=notices
            )
        except (StaleRevisionError, LockedError):
            return
        self._events.committed(notices)
        self._garbage.look()

    async def _expire_versions(
        self, bucket: Bucket, rule: Mapping[str, Any], expiration: Mapping[str, Any]
    ) -> None:
        """A version is noncurrent since the one after it was made; of a key, the newest comes first."""
        noncurrent = rule.get("NoncurrentVersionExpiration") or {}
        transitions = rule.get("NoncurrentVersionTransitions") or ()
        now = self._jumps.believed()
        key, superseded_at, kept = "", 0.0, 0
        alone: ObjectVersion | None = None
        async for entry in self._entries(bucket, prefix_of(rule), current=False):
            version = entry.version
            if version.key != key:
                await self._remove_lone_marker(bucket, alone, expiration)
                key, kept = version.key, 0
                alone = version if version.delete_marker else None
            else:
                if not entry.latest and applies(rule, version):
                    kept += 1
                    if noncurrent and _is_over(noncurrent, kept, superseded_at, now):
                        await self._remove(bucket, version)
                        superseded_at = version.modified_at
                        continue
                    if not version.delete_marker:
                        moving = [one for one in transitions if kept > one.get("NewerNoncurrentVersions", 0)]
                        storage_class = due_class(moving, superseded_at, now)
                        await self._move(bucket, rule, version, storage_class)
                alone = None
            superseded_at = version.modified_at
        await self._remove_lone_marker(bucket, alone, expiration)

    async def _remove_lone_marker(
        self, bucket: Bucket, marker: ObjectVersion | None, expiration: Mapping[str, Any]
    ) -> None:
        """A delete marker behind which no version is left."""
        if marker is not None and expiration.get("ExpiredObjectDeleteMarker"):
            await self._remove(bucket, marker)

    async def _abort_uploads(self, bucket: Bucket, rule: Mapping[str, Any], days: int) -> None:
        now = self._jumps.believed()
        after, after_id = "", None
        while True:
            found = await self._uploads.list(
                ListingQuery(
                    bucket=bucket.name,
                    prefix=prefix_of(rule),
                    after=after,
                    after_version_id=after_id,
                    limit=_PAGE,
                )
            )
            for upload in found.uploads:
                if now >= due_at(upload.initiated_at, days):
                    await self._uploads.abort(upload.id)
                    self._garbage.look()
            if found.last is None:
                return
            after, after_id = found.last, found.last_id

    async def _entries(self, bucket: Bucket, prefix: str, *, current: bool) -> AsyncIterator[ListedVersion]:
        after, after_id = "", None
        while True:
            query = ListingQuery(
                bucket=bucket.name,
                prefix=prefix,
                after=after,
                after_version_id=None if current else after_id,
                limit=_PAGE,
            )
            found = await (
                self._objects.list_current(query) if current else self._objects.list_versions(query)
            )
            for entry in found.entries:
                yield entry
            if found.last is None:
                return
            after, after_id = found.last, found.last_version_id


def _is_over(noncurrent: Mapping[str, Any], kept: int, superseded_at: float, now: float) -> bool:
    """Whether the `kept`th of a key's noncurrent versions is to go."""
    spared = kept <= noncurrent.get("NewerNoncurrentVersions", 0)
    return not spared and now >= due_at(superseded_at, noncurrent["NoncurrentDays"])


def _caller(bucket: Bucket) -> Any:
    return service_caller(S3, account_id=bucket.account_id, region=bucket.region, source_arn=None)
