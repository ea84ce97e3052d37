"""Event source mappings in memory, for unit tests; held to the same contract as the store on disk."""

from collections.abc import Sequence

from lambent.model.event_source_mapping import EventSourceMapping
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError


class MemoryEventSourceMappingStore:
    """Implements EventSourceMappingStore."""

    def __init__(self) -> None:
        self.mappings: dict[tuple[str, str, str], EventSourceMapping] = {}

    async def insert(self, mapping: EventSourceMapping) -> None:
        if await self.find(mapping) is not None:
            raise AlreadyExistsError
        self.mappings[_key(mapping)] = mapping

    async def get(self, account_id: str, region: str, uuid: str) -> EventSourceMapping | None:
        return self.mappings.get((account_id, region, uuid))

    async def find(self, like: EventSourceMapping) -> EventSourceMapping | None:
        same = (
            mapping
            for mapping in self.mappings.values()
            if (mapping.function_arn, mapping.source) == (like.function_arn, like.source)
        )
        return next(same, None)

    async def replace(self, mapping: EventSourceMapping, *, expected_revision_id: str) -> None:
        stored = self.mappings.get(_key(mapping))
        if stored is None:
            raise NotFoundError
        if stored.revision_id != expected_revision_id:
            raise StaleRevisionError
        other = await self.find(mapping)
        if other is not None and other.uuid != mapping.uuid:
            raise AlreadyExistsError
        self.mappings[_key(mapping)] = mapping

    async def delete(self, mapping: EventSourceMapping) -> None:
        self.mappings.pop(_key(mapping), None)

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
        return [
            mapping
            for key, mapping in sorted(self.mappings.items())
            if key[:2] == (account_id, region)
            and mapping.uuid > (after or "")
            and source_arn in (None, mapping.source_arn)
            and function_arn in (None, mapping.function_arn)
        ][:limit]

    async def all(self) -> Sequence[EventSourceMapping]:
        return [mapping for _, mapping in sorted(self.mappings.items())]


def _key(mapping: EventSourceMapping) -> tuple[str, str, str]:
    return mapping.account_id, mapping.region, mapping.uuid
