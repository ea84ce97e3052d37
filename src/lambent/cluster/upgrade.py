"""Upgrading one node after the other: what older nodes still need goes when the last of them has left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lambent.store.ports.errors import StoreError
from lambent.store.ports.schema import Schema, SchemaStore

log = logging.getLogger(__name__)


class Upgrade:
    """`outdated` is called when this node is too old for what newer ones have made of the database. `schema` is what
    was read last, None before the first look."""

    def __init__(
        self,
        store: SchemaStore,
        *,
        outdated: Callable[[], None],
        look_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._outdated = outdated
        self._look_seconds = look_seconds
        self._sleep = sleep
        self.schema: Schema | None = None

    async def run(self) -> None:
        said = False
        while True:
            await self._sleep(self._look_seconds)
            try:
                await self.look()
                said = False
            except StoreError as error:
                if not said:
                    log.warning("the tables cannot be looked at or changed; it is tried again: %s", error)
                said = True

    async def look(self) -> None:
        """Raises StoreError."""
        schema = await self._store.schema()
        if schema.least > schema.known:
            log.critical(
                "the tables were changed to schema %d, and this node knows %d: it ends",
                schema.number,
                schema.known,
            )
            self._outdated()
        elif schema.pending:
            schema = await self._store.migrate()
            if not schema.pending:
                log.info("the last older node has left: the tables are at schema %d", schema.number)
        self.schema = schema
