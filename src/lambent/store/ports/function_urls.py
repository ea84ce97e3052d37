"""Function URLs."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.function import FunctionId
from lambent.model.function_url import FunctionUrl


class FunctionUrlStore(Protocol):
    """A URL goes with its function. That of an alias stays when the alias is deleted, and may lead to the next one of
    its name."""

    async def insert(self, url: FunctionUrl) -> None:
        """Raises AlreadyExistsError (the function or alias has one), NotFoundError (the function)."""
        ...

    async def get(self, function: FunctionId, qualifier: str) -> FunctionUrl | None: ...

    async def by_id(self, id: str) -> FunctionUrl | None: ...

    async def replace(self, url: FunctionUrl) -> None:
        """Raises NotFoundError."""
        ...

    async def delete(self, function: FunctionId, qualifier: str) -> None:
        """Raises NotFoundError."""
        ...

    async def every(self) -> Sequence[FunctionUrl]:
        """Of all accounts and regions."""
        ...

    async def page(self, function: FunctionId, *, after: str | None, limit: int) -> Sequence[FunctionUrl]:
        """By qualifier, the function's own first."""
        ...
