"""Secrets that all nodes share."""

from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("shared_secrets")


class SqlSharedSecretStore:
    """Implements lambent.store.ports.shared_secrets.SharedSecretStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> bytes | None:
        return await self._database.read(lambda connection: _get(connection, name))

    async def put_first(self, name: str, sealed: bytes) -> bytes:
        def work(connection: Connection) -> bytes | None:
            connection.execute(_SQL["put_first"], {"name": name, "sealed": sealed})
            return _get(connection, name)

        stored = await self._database.write(work)
        assert stored is not None
        return stored

    async def replace(self, name: str, sealed: bytes) -> None:
        row = {"name": name, "sealed": sealed}
        await self._database.write(lambda connection: connection.execute(_SQL["replace"], row).rowcount)


def _get(connection: Connection, name: str) -> bytes | None:
    found = connection.execute(_SQL["get"], {"name": name}).fetchone()
    return None if found is None else bytes(found[0])
