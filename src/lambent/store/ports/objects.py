"""The versions of S3's objects. Their bytes are elsewhere (ports/contents.py), and small ones are stored with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.model.stored_object import ListedVersion, Notice, ObjectVersion, WriteCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingQuery:
    """Keys that begin with `prefix`, in the order of their UTF-8 bytes, after `after`. With a `delimiter`, keys that
    have it behind the prefix are rolled up to the common prefix that ends with it; one that `after` begins with is
    not listed again where it is `after` itself."""

    bucket: str
    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    after_version_id: str | None = None
    """With it, a listing of versions goes on within the key `after`, even where this version is gone by now."""
    limit: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """`entries` and `prefixes` together are no more than the limit; `last` is the last of them, None unless there are
    more behind it."""

    entries: Sequence[ListedVersion] = ()
    prefixes: Sequence[str] = ()
    last: str | None = None
    last_version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketUsage:
    """`count` is of all versions, delete markers among them; sizes are bytes."""

    count: int
    size_by_class: Mapping[str, int]


class ObjectStore(Protocol):
    """Contents that nothing refers to any more are left in the `garbage` of ports/object_garbage.py, in the same
    transaction; `notices` go to ports/notices.py likewise."""

    async def put(
        self,
        version: ObjectVersion,
        *,
        data: bytes | None = None,
        condition: WriteCondition | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        """Makes it the key's latest version; `data` are the bytes of its content, where that is small. One with the id
        "null" takes the place of the one before.

        Raises NotFoundError where there is no such bucket; AlreadyExistsError where the key has a current version and
        must not; MissingKeyError where it has none and must; StaleRevisionError where it is another."""
        ...

    async def get(self, bucket: str, key: str, version_id: str | None = None) -> ObjectVersion | None:
        """That version, or the latest, which may be a delete marker."""
        ...

    async def replace(
        self, version: ObjectVersion, *, previous: ObjectVersion, notices: Sequence[Notice] = ()
    ) -> None:
        """The same version with other properties. Raises NotFoundError, StaleRevisionError."""
        ...

    async def delete(
        self,
        bucket: str,
        key: str,
        version_id: str,
        *,
        etag: str | None = None,
        bypass: bool = False,
        notices: Sequence[Notice] = (),
        tell_anyway: bool = False,
    ) -> ObjectVersion | None:
        """Removes a version for ever and returns it; the newest of those left becomes the latest. Where there is none,
        None, and no notice is given unless `tell_anyway`. Raises MissingKeyError where there is none,
        StaleRevisionError where it has not the `etag` that is asked for, LockedError where its lock holds (`bypass`
        as there)."""
        ...

    async def list_current(self, query: ListingQuery) -> Listing:
        """Latest versions that are no delete markers. Takes as long as what is returned, not as what is skipped."""
        ...

    async def usage(self, bucket: str) -> BucketUsage: ...

    async def list_versions(self, query: ListingQuery) -> Listing:
        """All versions and delete markers, the newest of a key first."""
        ...
