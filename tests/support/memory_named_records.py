"""Named records in memory, for unit tests: what services use of the port when they keep all of a kind in memory."""

from collections.abc import Sequence
from typing import Any

from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name


class MemoryNamedRecords:
    def __init__(self) -> None:
        self.stored: dict[Name, Any] = {}

    def __getattr__(self, method: str) -> Any:
        raise NotImplementedError(method)

    async def insert(self, name: Name, value: Any, *, due_at: float | None = None) -> None:
        if name in self.stored:
            raise AlreadyExistsError(name.name)
        self.stored[name] = value

    async def replace(self, name: Name, value: Any, *, previous: Any, **_: Any) -> None:
        if self.stored.get(name) != previous:
            raise StaleRevisionError(name.name)
        self.stored[name] = value

    async def delete(self, name: Name) -> None:
        if self.stored.pop(name, None) is None:
            raise NotFoundError(name.name)

    async def all(self) -> Sequence[tuple[Name, Any]]:
        return sorted(self.stored.items(), key=lambda entry: entry[0])
