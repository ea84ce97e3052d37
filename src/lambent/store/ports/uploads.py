"""S3's multipart uploads, and the parts of objects that came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.model.stored_object import Notice, ObjectVersion, Part, Upload, WriteCondition
from lambent.store.ports.objects import ListingQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadListing:
    uploads: Sequence[Upload] = ()
    prefixes: Sequence[str] = ()
    last: str | None = None
    last_id: str | None = None


class UploadStore(Protocol):
    """An upload's id is its own; it is found by bucket and key, too, so that one's id opens no other's."""

    async def insert(self, upload: Upload) -> None:
        """Raises NotFoundError where there is no such bucket."""
        ...

    async def get(self, bucket: str, key: str, upload_id: str) -> Upload | None: ...

    async def list(self, query: ListingQuery) -> UploadListing:
        """By key, the oldest of a key first; `after_version_id` is an upload's id here."""
        ...

    async def put_part(self, upload_id: str, part: Part, *, data: bytes | None = None) -> None:
        """Takes the place of the part of that number; `data` as for ObjectStore.put. Raises NotFoundError where there
        is no such upload."""
        ...

    async def parts(self, upload_id: str, *, after: int = 0, limit: int = 10_000) -> Sequence[Part]:
        """By number; of an upload in progress, or of a completed object."""
        ...

    async def parts_at(self, upload_id: str, first: int, last: int) -> Sequence[Part]:
        """Those of a completed object that hold the bytes `first` to `last`."""
        ...

    async def complete(
        self,
        upload_id: str,
        parts: Sequence[Part],
        version: ObjectVersion,
        *,
        condition: WriteCondition | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        """Makes `version` of these parts, in one step with what ObjectStore.put does and raises; other parts go. The
        parts' positions are stored. Raises NotFoundError where the upload is gone, StaleRevisionError where a part is
        no longer the one that is given, OvertakenError where the key is to be absent, and is so because it was deleted
        since the upload began."""
        ...

    async def abort(self, upload_id: str) -> bool:
        """False where there is none."""
        ...
