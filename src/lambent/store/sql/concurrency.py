"""Reserved and provisioned concurrency."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.model.concurrency import ProvisionedConcurrency
from lambent.model.function import FunctionId
from lambent.store.ports.errors import LimitExceededError, NotFoundError
from lambent.store.sql.changes import note_function
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("concurrency")


class SqlConcurrencyStore:
    """Implements lambent.store.ports.concurrency.ConcurrencyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, id: FunctionId, executions: int, *, total_most: int) -> None:
        row = _row(id) | {"executions": executions}

        def work(connection: Connection) -> None:
            _require_function(connection, id)
            (others,) = connection.execute(_SQL["total_of_others"], row).fetchone()
            if others + executions > total_most:
                raise LimitExceededError(f"{others} of {total_most} are reserved for other functions")
            connection.execute(_SQL["reserve"], row)
            note_function(connection, id)

        await self._database.write(work)

    async def unreserve(self, id: FunctionId) -> None:
        await self._write("unreserve", id, _row(id))

    async def reserved(self, id: FunctionId) -> int | None:
        found = await self._read("reserved", _row(id))
        return found[0][0] if found else None

    async def total_reserved(self, account_id: str, region: str) -> int:
        ((total,),) = await self._read("total_reserved", {"account_id": account_id, "region": region})
        return int(total)

    async def all_reserved(self) -> Mapping[FunctionId, int]:
        return {FunctionId(*id): executions for *id, executions in await self._read("all_reserved", {})}

    async def provision(self, config: ProvisionedConcurrency) -> None:
        row = _row(config.function) | {
            "qualifier": config.qualifier,
            "executions": config.requested,
            "last_modified": config.last_modified,
        }

        def work(connection: Connection) -> None:
            _require_function(connection, config.function)
            connection.execute(_SQL["provision"], row)
            note_function(connection, config.function)

        await self._database.write(work)

    async def unprovision(self, id: FunctionId, qualifier: str) -> None:
        await self._write("unprovision", id, _row(id) | {"qualifier": qualifier})

    async def provisioned(self, id: FunctionId) -> Sequence[ProvisionedConcurrency]:
        return [_config(found) for found in await self._read("provisioned", _row(id))]

    async def all_provisioned(self) -> Sequence[ProvisionedConcurrency]:
        return [_config(found) for found in await self._read("all_provisioned", {})]

    async def _write(self, statement: str, id: FunctionId, row: Mapping[str, Any]) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_SQL[statement], row)
            note_function(connection, id)

        await self._database.write(work)

    async def _read(self, statement: str, row: Mapping[str, Any]) -> list[Any]:
        return await self._database.read(
            lambda connection: connection.execute(_SQL[statement], row).fetchall()
        )


def _require_function(connection: Connection, id: FunctionId) -> None:
    (exists,) = connection.execute(_SQL["function_exists"], _row(id)).fetchone()
    if not exists:
        raise NotFoundError(id.arn())


def _config(found: Sequence[Any]) -> ProvisionedConcurrency:
    account_id, region, name, qualifier, executions, last_modified = found
    return ProvisionedConcurrency(
        function=FunctionId(account_id, region, name),
        qualifier=qualifier,
        requested=executions,
        last_modified=last_modified,
    )


def _row(id: FunctionId) -> dict[str, Any]:
    return {"account_id": id.account_id, "region": id.region, "name": id.name}
