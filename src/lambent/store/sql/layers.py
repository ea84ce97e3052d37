"""Layer versions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.model.layer import LayerId, LayerVersion
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.records import Record
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("layers")
_VERSION = Record(LayerVersion)
_ABOVE_ALL_VERSIONS = 2**63 - 1


class SqlLayerStore:
    """Implements lambent.store.ports.layers.LayerStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, version: LayerVersion) -> LayerVersion:
        def work(connection: Connection) -> LayerVersion:
            ((number,),) = connection.execute(_SQL["next_version"], _layer_row(version.layer)).fetchall()
            numbered = replace(version, version=number)
            connection.execute(_SQL["insert"], _version_row(numbered))
            return numbered

        return await self._database.write(work)

    async def get(self, layer: LayerId, version: int) -> LayerVersion | None:
        if not 0 < version < _ABOVE_ALL_VERSIONS:
            return None
        found = await self._all("get", _layer_row(layer) | {"version": version})
        return found[0] if found else None

    async def replace(self, version: LayerVersion, *, expected_policy_revision_id: str | None) -> None:
        row = _version_row(version) | {"expected": expected_policy_revision_id}

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["replace"], row).rowcount == 0:
                if connection.execute(_SQL["get"], row).fetchone() is None:
                    raise NotFoundError(version.arn())
                raise StaleRevisionError(version.arn())

        await self._database.write(work)

    async def delete(self, layer: LayerId, version: int) -> None:
        if not 0 < version < _ABOVE_ALL_VERSIONS:
            return
        row = _layer_row(layer) | {"version": version}

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["delete"], row).rowcount:
                connection.execute(_SQL["find_newest"], row)

        await self._database.write(work)

    async def page_versions(
        self, layer: LayerId, *, before: int | None, limit: int
    ) -> Sequence[LayerVersion]:
        row = _layer_row(layer) | {
            "before": _ABOVE_ALL_VERSIONS if before is None else before,
            "limit": limit,
        }
        return await self._all("page_versions", row)

    async def page_layers(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[LayerVersion]:
        row = {"account_id": account_id, "region": region, "after": after or "", "limit": limit}
        return await self._all("page_layers", row)

    async def code_size(self, account_id: str, region: str) -> int:
        return await self._number("code_size", {"account_id": account_id, "region": region})

    async def uses_code(self, digest: str) -> bool:
        return bool(await self._number("uses_code", {"digest": digest}))

    async def _all(self, statement: str, row: Mapping[str, Any]) -> list[LayerVersion]:
        return await self._database.read(
            lambda connection: [_VERSION.decode(text) for (text,) in connection.execute(_SQL[statement], row)]
        )

    async def _number(self, statement: str, row: Mapping[str, Any]) -> int:
        (number,) = await self._database.read(
            lambda connection: connection.execute(_SQL[statement], row).fetchone()
        )
        assert isinstance(number, int)
        return number


def _layer_row(layer: LayerId) -> dict[str, Any]:
    return {"account_id": layer.account_id, "region": layer.region, "name": layer.name}


def _version_row(version: LayerVersion) -> dict[str, Any]:
    return _layer_row(version.layer) | {
        "version": version.version,
        "digest": version.code.digest,
        "code_bytes": version.code.size,
        "policy_revision_id": version.policy_revision_id,
        "document": _VERSION.encode(version),
    }
