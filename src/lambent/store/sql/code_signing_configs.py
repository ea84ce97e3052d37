"""Code signing configurations."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.model.code_signing import CodeSigningConfig
from lambent.model.function import FunctionId
from lambent.store.ports.errors import InUseError, NotFoundError
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("code_signing_configs")
_CONFIG = Record(CodeSigningConfig)


class SqlCodeSigningConfigStore:
    """Implements lambent.store.ports.code_signing_configs.CodeSigningConfigStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, config: CodeSigningConfig) -> None:
        await self._database.write(
            lambda connection: connection.execute(_SQL["insert"], _row(config)).rowcount
        )

    async def get(self, account_id: str, region: str, id: str) -> CodeSigningConfig | None:
        found = await self._documents("get", _key(account_id, region, id))
        return _CONFIG.decode(found[0]) if found else None

    async def replace(self, config: CodeSigningConfig) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["replace"], _row(config)).rowcount == 0:
                raise NotFoundError(config.arn())

        await self._database.write(work)

    async def delete(self, account_id: str, region: str, id: str) -> None:
        row = _key(account_id, region, id)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["page_functions"], row | {"after": "", "limit": 1}).fetchone():
                raise InUseError(id)
            if connection.execute(_SQL["delete"], row).rowcount == 0:
                raise NotFoundError(id)

        await self._database.write(work)

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[CodeSigningConfig]:
        row = {"account_id": account_id, "region": region, "after": after or "", "limit": limit}
        return [_CONFIG.decode(document) for document in await self._documents("page", row)]

    async def attach(self, function: FunctionId, id: str) -> None:
        row = _function_row(function) | {"id": id}

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["get"], row).fetchone() is None:
                raise NotFoundError(id)
            connection.execute(_SQL["attach"], row)

        await self._database.write(work)

    async def detach(self, function: FunctionId) -> None:
        row = _function_row(function)
        await self._database.write(lambda connection: connection.execute(_SQL["detach"], row).rowcount)

    async def attached(self, function: FunctionId) -> CodeSigningConfig | None:
        found = await self._documents("attached", _function_row(function))
        return _CONFIG.decode(found[0]) if found else None

    async def page_functions(
        self, account_id: str, region: str, id: str, *, after: str | None, limit: int
    ) -> Sequence[str]:
        row = _key(account_id, region, id) | {"after": after or "", "limit": limit}
        return await self._documents("page_functions", row)

    async def _documents(self, statement: str, row: Mapping[str, Any]) -> list[str]:
        return await self._database.read(
            lambda connection: [text for (text,) in connection.execute(_SQL[statement], row)]
        )


def _key(account_id: str, region: str, id: str) -> dict[str, Any]:
    return {"account_id": account_id, "region": region, "id": id}


def _function_row(function: FunctionId) -> dict[str, Any]:
    return {"account_id": function.account_id, "region": function.region, "name": function.name}


def _row(config: CodeSigningConfig) -> dict[str, Any]:
    return _key(config.account_id, config.region, config.id) | {"document": _CONFIG.encode(config)}
