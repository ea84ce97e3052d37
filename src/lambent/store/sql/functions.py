"""Functions, their published versions and their aliases."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lambent.model.function import Alias, Function, FunctionId, FunctionVersion
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.records import Record
from lambent.store.sql.changes import note_function
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("functions")
_FUNCTION = Record(Function)
_VERSION = Record(FunctionVersion)
_ALIAS = Record(Alias)
_NUMBER_DIGITS_MOST = 18  # what fits the integers of every engine


class SqlFunctionStore:
    """Implements lambent.store.ports.functions.FunctionStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, function: Function) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert"], _function_row(function)).rowcount == 0:
                raise AlreadyExistsError(function.id.arn())
            _put_code_uses(connection, function.id, 0, _function_versions(function))
            note_function(connection, function.id)

        await self._database.write(work)

    async def get(self, id: FunctionId) -> Function | None:
        document = await self._one("get", _id_row(id))
        return None if document is None else _FUNCTION.decode(document)

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        await self._database.write(lambda connection: _replace(connection, function, expected_revision_id))

    async def delete(self, id: FunctionId) -> None:
        row = _id_row(id)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["delete"], row).rowcount == 0:
                raise NotFoundError(id.arn())
            for statement in ("delete_versions", "delete_aliases", "drop_all_code_uses"):
                connection.execute(_SQL[statement], row)
            note_function(connection, id)

        await self._database.write(work)

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[Function]:
        row = {"account_id": account_id, "region": region, "after": after or "", "limit": limit}
        return [_FUNCTION.decode(document) for document in await self._all("page", row)]

    async def publish(
        self, function: Function, version: FunctionVersion, *, expected_revision_id: str
    ) -> None:
        row = _version_row(version)

        def work(connection: Connection) -> None:
            _replace(connection, function, expected_revision_id)
            if connection.execute(_SQL["insert_version"], row).rowcount == 0:
                raise AlreadyExistsError(version.arn())
            _put_code_uses(connection, version.function, row["version"], [version])

        await self._database.write(work)

    async def get_version(self, id: FunctionId, version: str) -> FunctionVersion | None:
        number = _number(version)
        if number is None:
            return None
        document = await self._one("get_version", _id_row(id) | {"version": number})
        return None if document is None else _VERSION.decode(document)

    async def replace_version(self, version: FunctionVersion) -> None:
        row = _version_row(version)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["replace_version"], row).rowcount == 0:
                raise NotFoundError(version.arn())
            _put_code_uses(connection, version.function, row["version"], [version])
            note_function(connection, version.function)

        await self._database.write(work)

    async def delete_version(self, id: FunctionId, version: str) -> None:
        row = _id_row(id) | {"version": _number(version)}

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["delete_version"], row).rowcount == 0:
                raise NotFoundError(id.arn(version))
            connection.execute(_SQL["drop_code_uses"], row)
            note_function(connection, id)

        await self._database.write(work)

    async def page_versions(self, id: FunctionId, *, after: int, limit: int) -> Sequence[FunctionVersion]:
        row = _id_row(id) | {"after": after, "limit": limit}
        return [_VERSION.decode(document) for document in await self._all("page_versions", row)]

    async def page_all_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[FunctionVersion]:
        name, number = after or ("", 0)
        row = {
            "account_id": account_id,
            "region": region,
            "after_name": name,
            "after_version": number,
            "limit": limit,
        }
        return [_VERSION.decode(document) for document in await self._all("page_all_versions", row)]

    async def insert_alias(self, alias: Alias) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["revision"], _id_row(alias.function)).fetchone() is None:
                raise NotFoundError(alias.function.arn())
            if connection.execute(_SQL["insert_alias"], _alias_row(alias)).rowcount == 0:
                raise AlreadyExistsError(alias.arn())
            note_function(connection, alias.function)

        await self._database.write(work)

    async def get_alias(self, id: FunctionId, name: str) -> Alias | None:
        document = await self._one("get_alias", _alias_key(id, name))
        return None if document is None else _ALIAS.decode(document)

    async def replace_alias(self, alias: Alias, *, expected_revision_id: str) -> None:
        row = _alias_row(alias) | {"expected": expected_revision_id}

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["replace_alias"], row).rowcount == 0:
                key = _alias_key(alias.function, alias.name)
                _refuse(connection.execute(_SQL["alias_revision"], key).fetchone(), alias.arn())
            note_function(connection, alias.function)

        await self._database.write(work)

    async def delete_alias(self, id: FunctionId, name: str) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_SQL["delete_alias"], _alias_key(id, name))
            note_function(connection, id)

        await self._database.write(work)

    async def page_aliases(
        self, id: FunctionId, *, version: str | None, after: str | None, limit: int
    ) -> Sequence[Alias]:
        row = {
            "account_id": id.account_id,
            "region": id.region,
            "function_name": id.name,
            "version": version,
            "after": after or "",
            "limit": limit,
        }
        return [_ALIAS.decode(document) for document in await self._all("page_aliases", row)]

    async def unsettled(self) -> Sequence[FunctionVersion]:
        def work(connection: Connection) -> list[FunctionVersion]:
            latest = [
                _FUNCTION.decode(text).latest for (text,) in connection.execute(_SQL["unsettled_functions"])
            ]
            return latest + [
                _VERSION.decode(text) for (text,) in connection.execute(_SQL["unsettled_versions"])
            ]

        return await self._database.read(work)

    async def usage(self, account_id: str, region: str) -> tuple[int, int]:
        row = {"account_id": account_id, "region": region}
        found = await self._database.read(
            lambda connection: connection.execute(_SQL["usage"], row).fetchone()
        )
        return (0, 0) if found is None else (found[0], found[1])

    async def uses_code(self, digest: str) -> bool:
        return bool(await self._one("uses_code", {"digest": digest}))

    async def _one(self, statement: str, row: Mapping[str, Any]) -> Any:
        found = await self._database.read(
            lambda connection: connection.execute(_SQL[statement], row).fetchone()
        )
        return None if found is None else found[0]

    async def _all(self, statement: str, row: Mapping[str, Any]) -> list[str]:
        return await self._database.read(
            lambda connection: [document for (document,) in connection.execute(_SQL[statement], row)]
        )


def _replace(connection: Connection, function: Function, expected_revision_id: str) -> None:
    row = _function_row(function) | {"expected": expected_revision_id}
    if connection.execute(_SQL["replace"], row).rowcount == 0:
        _refuse(connection.execute(_SQL["revision"], _id_row(function.id)).fetchone(), function.id.arn())
    _put_code_uses(connection, function.id, 0, _function_versions(function))
    note_function(connection, function.id)


def _refuse(stored: object, arn: str) -> None:
    """Why a replacement found nothing to replace."""
    if stored is None:
        raise NotFoundError(arn)
    raise StaleRevisionError(arn)


def _put_code_uses(
    connection: Connection, id: FunctionId, number: int, versions: Iterable[FunctionVersion]
) -> None:
    row = _id_row(id) | {"version": number}
    connection.execute(_SQL["drop_code_uses"], row)
    digests = {
        code.digest for version in versions for code in (version.code, *(x.code for x in version.layers))
    }
    for digest in digests:
        connection.execute(_SQL["add_code_use"], row | {"digest": digest})


def _function_versions(function: Function) -> list[FunctionVersion]:
    return [function.latest] if function.serving is None else [function.latest, function.serving]


def _function_row(function: Function) -> dict[str, Any]:
    return _id_row(function.id) | {
        "revision_id": function.latest.revision_id,
        "code_bytes": function.latest.code.size,
        "settled": _settled(function.latest),
        "document": _FUNCTION.encode(function),
    }


def _version_row(version: FunctionVersion) -> dict[str, Any]:
    number = _number(version.version)
    assert number is not None, f"not a published version: {version.version}"
    return _id_row(version.function) | {
        "version": number,
        "code_bytes": version.code.size,
        "settled": _settled(version),
        "document": _VERSION.encode(version),
    }


def _alias_row(alias: Alias) -> dict[str, Any]:
    return _alias_key(alias.function, alias.name) | {
        "revision_id": alias.revision_id,
        "version": alias.version,
        "weighted_versions": "".join(f",{version}," for version in alias.weights),
        "document": _ALIAS.encode(alias),
    }


def _id_row(id: FunctionId) -> dict[str, Any]:
    return {"account_id": id.account_id, "region": id.region, "name": id.name}


def _alias_key(id: FunctionId, name: str) -> dict[str, Any]:
    return {"account_id": id.account_id, "region": id.region, "function_name": id.name, "name": name}


def _settled(version: FunctionVersion) -> bool:
    return version.state != "Pending" and version.last_update_status != "InProgress"


def _number(version: str) -> int | None:
    """The number of a published version; None for $LATEST and for what no version is called ("01", "٣")."""
    if (
        not (version.isascii() and version.isdigit())
        or len(version) > _NUMBER_DIGITS_MOST
        or version[0] == "0"
    ):
        return None
    return int(version)
