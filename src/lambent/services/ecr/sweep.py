"""Layers that no image has any more: a repository forgets them, and what no repository has leaves the disk."""

import asyncio
import logging

from lambent.base.clock import Clock
from lambent.model.repository import Repository
from lambent.services.ecr.registry import Registry
from lambent.store.ports.errors import StoreError
from lambent.store.ports.layer_contents import LayerContents

log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 3600.0
_GRACE_SECONDS = 3600.0
"""What was pushed less long ago may be of an image whose manifest is still to come."""


class Sweep:
    def __init__(self, registry: Registry, contents: LayerContents, clock: Clock) -> None:
        self._registry = registry
        self._contents = contents
        self._clock = clock

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            try:
                await self.sweep()
            except (StoreError, OSError):
                log.exception("layers that nothing uses were not removed; next attempt in an hour")

    async def sweep(self) -> None:
        before = self._clock.now() - _GRACE_SECONDS
        old = await self._contents.names(older_than=before)
        for _, repository in await self._registry.stores.repositories.all():
            await self._forget_layers(repository, before)
        used = {layer.digest for _, layer in await self._registry.stores.layers.all()}
        unused = [digest for digest in old if digest not in used]
        await self._contents.remove(unused, older_than=before)

    async def _forget_layers(self, repository: Repository, before: float) -> None:
        registry = self._registry
        async with registry.lock(repository):
            images = await registry.images(repository)
            used = {digest for image in images.values() for digest in image.blobs}
            for digest, layer in (await registry.layers(repository)).items():
                if digest not in used and layer.completed_at < before:
                    await registry.delete(registry.stores.layers, repository, digest)
