"""Function URLs."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.model.function import FunctionId
from lambent.model.function_url import FunctionUrl
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.records import Record
from lambent.store.sql.changes import note_function
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("function_urls")
_URL = Record(FunctionUrl)


class SqlFunctionUrlStore:
    """Implements lambent.store.ports.function_urls.FunctionUrlStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, url: FunctionUrl) -> None:
        row = _url_row(url)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["function_exists"], row).fetchone() is None:
                raise NotFoundError(url.function.arn())
            if connection.execute(_SQL["insert"], row).rowcount == 0:
                raise AlreadyExistsError(url.function.arn(url.qualifier))
            note_function(connection, url.function)

        await self._database.write(work)

    async def get(self, function: FunctionId, qualifier: str) -> FunctionUrl | None:
        return await self._one("get", _row(function, qualifier))

    async def by_id(self, id: str) -> FunctionUrl | None:
        return await self._one("by_id", {"url_id": id})

    async def replace(self, url: FunctionUrl) -> None:
        await self._change("replace", _url_row(url), url.function)

    async def delete(self, function: FunctionId, qualifier: str) -> None:
        await self._change("delete", _row(function, qualifier), function)

    async def every(self) -> Sequence[FunctionUrl]:
        return await self._database.read(
            lambda connection: [_URL.decode(text) for (text,) in connection.execute(_SQL["every"])]
        )

    async def page(self, function: FunctionId, *, after: str | None, limit: int) -> Sequence[FunctionUrl]:
        # None comes before the function's own, whose qualifier is the empty text.
        statement = "first_page" if after is None else "page"
        row = _row(function, "") | {"after": after, "limit": limit}
        return await self._database.read(
            lambda connection: [_URL.decode(text) for (text,) in connection.execute(_SQL[statement], row)]
        )

    async def _one(self, statement: str, row: Mapping[str, Any]) -> FunctionUrl | None:
        found = await self._database.read(
            lambda connection: connection.execute(_SQL[statement], row).fetchone()
        )
        return None if found is None else _URL.decode(found[0])

    async def _change(self, statement: str, row: Mapping[str, Any], function: FunctionId) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL[statement], row).rowcount == 0:
                raise NotFoundError(function.arn())
            note_function(connection, function)

        await self._database.write(work)


def _row(function: FunctionId, qualifier: str) -> dict[str, Any]:
    return {
        "account_id": function.account_id,
        "region": function.region,
        "name": function.name,
        "qualifier": qualifier,
    }


def _url_row(url: FunctionUrl) -> dict[str, Any]:
    return _row(url.function, url.qualifier) | {"url_id": url.id, "document": _URL.encode(url)}
