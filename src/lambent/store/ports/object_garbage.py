"""Contents of objects that nothing refers to any more, until their files are removed."""

from collections.abc import Sequence
from typing import Protocol


class ObjectGarbage(Protocol):
    async def garbage(self, limit: int) -> Sequence[str]:
        """Contents to be removed."""
        ...

    async def discard(self, contents: Sequence[str]) -> None:
        """They belong to nothing: as if what referred to them had been deleted."""
        ...

    async def forget(self, contents: Sequence[str]) -> None:
        """Their files are gone."""
        ...

    async def unreferenced(self, contents: Sequence[str]) -> Sequence[str]:
        """Those of them that no version, no part and no garbage refers to."""
        ...
