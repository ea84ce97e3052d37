"""Contents of objects that nothing refers to any more, until their files are removed."""

from collections.abc import Sequence
from typing import Protocol


class ObjectGarbage(Protocol):
    async def garbage(self, limit: int) -> Sequence[str]:
        """Contents to be removed. That nothing refers to them is on disk: no power cut brings back what did."""
        ...

    async def forget(self, contents: Sequence[str]) -> None:
        """Their files are gone."""
        ...

    async def unreferenced(self, contents: Sequence[str]) -> Sequence[str]:
        """Those of them that no version, no part and no garbage refers to."""
        ...
