"""Event source mappings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lambent.model.event_source_mapping import EventSourceMapping
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.records import Record
from lambent.store.sql.changes import note
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("event_source_mappings")
_MAPPING = Record(EventSourceMapping)


class SqlEventSourceMappingStore:
    """Implements lambent.store.ports.event_source_mappings.EventSourceMappingStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, mapping: EventSourceMapping) -> None:
        row = _row(mapping)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert"], row).rowcount == 0:
                raise AlreadyExistsError(mapping.function_arn)
            _note(connection, mapping)

        await self._database.write(work)

    async def get(self, account_id: str, region: str, uuid: str) -> EventSourceMapping | None:
        return await self._one("get", {"account_id": account_id, "region": region, "uuid": uuid})

    async def find(self, like: EventSourceMapping) -> EventSourceMapping | None:
        return await self._one("find", _row(like))

    async def replace(self, mapping: EventSourceMapping, *, expected_revision_id: str) -> None:
        row = _row(mapping)

        def work(connection: Connection) -> None:
            stored = connection.execute(_SQL["get"], row).fetchone()
            if stored is None:
                raise NotFoundError(mapping.arn)
            if _MAPPING.decode(stored[0]).revision_id != expected_revision_id:
                raise StaleRevisionError(mapping.arn)
            if connection.execute(_SQL["replace"], row).rowcount == 0:
                raise AlreadyExistsError(mapping.function_arn)
            _note(connection, mapping)

        await self._database.write(work)

    async def delete(self, mapping: EventSourceMapping) -> None:
        row = _row(mapping)

        def work(connection: Connection) -> None:
            connection.execute(_SQL["delete"], row)
            _note(connection, mapping)

        await self._database.write(work)

    async def page(
        self,
        account_id: str,
        region: str,
        *,
        source_arn: str | None,
        function_arn: str | None,
        after: str | None,
        limit: int,
    ) -> Sequence[EventSourceMapping]:
        row = {
            "account_id": account_id,
            "region": region,
            "source_arn": source_arn,
            "function_arn": function_arn,
            "after": after or "",
            "limit": limit,
        }
        if function_arn is not None:
            return await self._all("page_of_function", row)
        return await self._all("page" if source_arn is None else "page_of_source", row)

    async def all(self) -> Sequence[EventSourceMapping]:
        return await self._all("all", {})

    async def _one(self, statement: str, row: Mapping[str, Any]) -> EventSourceMapping | None:
        found = await self._all(statement, row)
        return found[0] if found else None

    async def _all(self, statement: str, row: Mapping[str, Any]) -> list[EventSourceMapping]:
        return await self._database.read(
            lambda connection: [_MAPPING.decode(text) for (text,) in connection.execute(_SQL[statement], row)]
        )


def _note(connection: Connection, mapping: EventSourceMapping) -> None:
    note(connection, "mapping", mapping.account_id, mapping.region, mapping.uuid)


def _row(mapping: EventSourceMapping) -> dict[str, Any]:
    return {
        "account_id": mapping.account_id,
        "region": mapping.region,
        "uuid": mapping.uuid,
        "function_arn": mapping.function_arn,
        "source_arn": mapping.source_arn,
        "source": json.dumps(mapping.source),
        "document": _MAPPING.encode(mapping),
    }
