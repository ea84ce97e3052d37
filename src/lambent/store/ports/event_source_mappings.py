"""Event source mappings."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.event_source_mapping import EventSourceMapping


class EventSourceMappingStore(Protocol):
    """In a region of an account, a function (with its qualifier) has at most one mapping for a `source`.

    Replacing is by whole record and by comparison: `expected_revision_id` must be what is stored."""

    async def insert(self, mapping: EventSourceMapping) -> None:
        """Raises AlreadyExistsError where the function has a mapping for this source."""
        ...

    async def get(self, account_id: str, region: str, uuid: str) -> EventSourceMapping | None: ...

    async def find(self, like: EventSourceMapping) -> EventSourceMapping | None:
        """The mapping that has the same function and source."""
        ...

    async def replace(self, mapping: EventSourceMapping, *, expected_revision_id: str) -> None:
        """Raises NotFoundError, StaleRevisionError, AlreadyExistsError (another one has this function and source)."""
        ...

    async def delete(self, mapping: EventSourceMapping) -> None:
        """Does nothing where there is none."""
        ...

    async def page(
        self,
        account_id: str,
        region: str,
        *,
        source_arn: str | None,
        function_arn: str | None,
        after: str | None,
        limit: int,
    ) -> Sequence[EventSourceMapping]:
        """By UUID, after `after`; of this source and of exactly this function (qualified or not) where given."""
        ...

    async def all(self) -> Sequence[EventSourceMapping]:
        """Of every account and region: what pollers begin with."""
        ...
