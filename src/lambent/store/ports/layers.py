"""Layer versions."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.layer import LayerId, LayerVersion


class LayerStore(Protocol):
    async def publish(self, version: LayerVersion) -> LayerVersion:
        """Stores it under the layer's next number, which is never used twice, and returns it with that number."""
        ...

    async def get(self, layer: LayerId, version: int) -> LayerVersion | None: ...

    async def replace(self, version: LayerVersion, *, expected_policy_revision_id: str | None) -> None:
        """Changes its policy. Raises NotFoundError, StaleRevisionError."""
        ...

    async def delete(self, layer: LayerId, version: int) -> None:
        """Does nothing where there is none."""
        ...

    async def page_versions(
        self, layer: LayerId, *, before: int | None, limit: int
    ) -> Sequence[LayerVersion]:
        """Newest first, numbers below `before`."""
        ...

    async def page_layers(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[LayerVersion]:
        """The newest version that is left of each layer, by layer name."""
        ...

    async def code_size(self, account_id: str, region: str) -> int: ...

    async def uses_code(self, digest: str) -> bool: ...
