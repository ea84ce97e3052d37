"""Code signing configurations, and which function has which."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.code_signing import CodeSigningConfig
from lambent.model.function import FunctionId


class CodeSigningConfigStore(Protocol):
    """A function has one at most, and loses it when it is deleted."""

    async def insert(self, config: CodeSigningConfig) -> None: ...

    async def get(self, account_id: str, region: str, id: str) -> CodeSigningConfig | None: ...

    async def replace(self, config: CodeSigningConfig) -> None:
        """Raises NotFoundError."""
        ...

    async def delete(self, account_id: str, region: str, id: str) -> None:
        """Raises NotFoundError; InUseError while a function has it."""
        ...

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[CodeSigningConfig]:
        """By id."""
        ...

    async def attach(self, function: FunctionId, id: str) -> None:
        """In the place of what the function had. Raises NotFoundError for the configuration."""
        ...

    async def detach(self, function: FunctionId) -> None:
        """Does nothing where the function has none."""
        ...

    async def attached(self, function: FunctionId) -> CodeSigningConfig | None: ...

    async def page_functions(
        self, account_id: str, region: str, id: str, *, after: str | None, limit: int
    ) -> Sequence[str]:
        """The names of the functions that have it, in order."""
        ...
