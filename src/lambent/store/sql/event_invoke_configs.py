"""Event invoke configurations."""

from collections.abc import Sequence
from typing import Any

from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import FunctionId
from lambent.store.ports.errors import NotFoundError
from lambent.store.records import Record
from lambent.store.sql.changes import note_function
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("event_invoke_configs")
_ALL = 2**31
_CONFIG = Record(EventInvokeConfig)


class SqlEventInvokeConfigStore:
    """Implements lambent.store.ports.event_invoke_configs.EventInvokeConfigStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, config: EventInvokeConfig) -> None:
        row = _row(config.function, config.qualifier) | {"document": _CONFIG.encode(config)}
        await self._change("put", row, config.function)

    async def get(self, id: FunctionId, qualifier: str) -> EventInvokeConfig | None:
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["get"], _row(id, qualifier)).fetchone()
        )
        return None if found is None else _CONFIG.decode(found[0])

    async def delete(self, id: FunctionId, qualifier: str) -> None:
        await self._change("delete", _row(id, qualifier), id)

    async def page(
        self, id: FunctionId, *, after: str | None, limit: int | None
    ) -> Sequence[EventInvokeConfig]:
        row = _row(id, "") | {"after": after or "", "limit": _ALL if limit is None else limit}
        return await self._database.read(
            lambda connection: [
                _CONFIG.decode(document) for (document,) in connection.execute(_SQL["page"], row)
            ]
        )

    async def _change(self, statement: str, row: dict[str, Any], id: FunctionId) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL[statement], row).rowcount == 0:
                raise NotFoundError(id.arn())
            note_function(connection, id)

        await self._database.write(work)


def _row(id: FunctionId, qualifier: str) -> dict[str, Any]:
    return {"account_id": id.account_id, "region": id.region, "name": id.name, "qualifier": qualifier}
