"""The bytes of small objects and parts."""

from collections.abc import Sequence
from functools import partial

from lambent.base.clock import Clock
from lambent.store.ports.errors import ContentMissingError
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries
from lambent.store.sql.schema import is_known_to_all

_ASKED_SECONDS = 5.0
"""How long an answer about the other nodes is taken for true."""
_SQL = queries("small_contents")


class SqlSmallContents:
    """Implements lambent.store.ports.contents.SmallContents."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._are_readable = False
        self._ask_at = 0.0

    async def are_readable(self) -> bool:
        now = self._clock.monotonic()
        if now >= self._ask_at:
            self._are_readable = await self._database.read(partial(is_known_to_all, name="small_contents"))
            self._ask_at = now + _ASKED_SECONDS
        return self._are_readable

    async def read(self, name: str) -> bytes:
        def work(connection: Connection) -> bytes:
            found = connection.execute(_SQL["get"], {"name": name}).fetchone()
            if found is None:
                raise ContentMissingError(name)
            return bytes(found[0])

        return await self._database.read(work)

    async def remove(self, names: Sequence[str]) -> None:
        rows = [{"name": name} for name in names]
        await self._database.write(lambda connection: connection.executemany(_SQL["delete"], rows))


def insert_small(connection: Connection, name: str, data: bytes) -> None:
    """Within the transaction of what refers to it."""
    connection.execute(_SQL["insert"], {"name": name, "data": data})
