"""Event invoke configurations."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import FunctionId


class EventInvokeConfigStore(Protocol):
    """One goes with the function, version or alias that it is of."""

    async def put(self, config: EventInvokeConfig) -> None:
        """Inserts or replaces. Raises NotFoundError (the function)."""
        ...

    async def get(self, id: FunctionId, qualifier: str) -> EventInvokeConfig | None: ...

    async def delete(self, id: FunctionId, qualifier: str) -> None:
        """Raises NotFoundError."""
        ...

    async def page(
        self, id: FunctionId, *, after: str | None, limit: int | None
    ) -> Sequence[EventInvokeConfig]:
        """By qualifier, beginning after `after`; all of them where `limit` is None."""
        ...
