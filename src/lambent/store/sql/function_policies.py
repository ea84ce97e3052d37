"""Resource policies of functions."""

import json
from collections.abc import Sequence
from typing import Any

from lambent.model.function import FunctionId
from lambent.model.function_policy import FunctionPolicy
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.sql.changes import note_function
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("function_policies")
_NUMBER_DIGITS_MOST = 18  # what fits the integers of every engine; no alias is called by a number


class SqlFunctionPolicyStore:
    """Implements lambent.store.ports.function_policies.FunctionPolicyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, function: FunctionId, qualifier: str) -> FunctionPolicy | None:
        row = _row(function, qualifier)
        found = await self._database.read(lambda connection: connection.execute(_SQL["get"], row).fetchone())
        if found is None:
            return None
        return FunctionPolicy(function=function, qualifier=qualifier, document=found[0])

    async def put(self, policy: FunctionPolicy, *, revision_id: str, expected_revision_id: str) -> None:
        row = _row(policy.function, policy.qualifier) | {
            "denies": policy.denies,
            "document": policy.document,
            "revision_id": revision_id,
            "expected": expected_revision_id,
        }
        await self._database.write(lambda connection: _revise(connection, "put", row))

    async def delete(
        self, function: FunctionId, qualifier: str, *, revision_id: str, expected_revision_id: str
    ) -> None:
        row = _row(function, qualifier) | {"revision_id": revision_id, "expected": expected_revision_id}
        await self._database.write(lambda connection: _revise(connection, "delete", row))

    async def denying(self) -> Sequence[FunctionId]:
        return await self._database.read(
            lambda connection: [FunctionId(*found) for found in connection.execute(_SQL["denying"])]
        )


def _revise(connection: Connection, statement: str, row: dict[str, Any]) -> None:
    """What the policy is attached to gets another revision: a member of its document, of which the rest is left
    as it was written."""
    kind = _kind(row["qualifier"])
    arn = FunctionId(row["account_id"], row["region"], row["name"]).arn(row["qualifier"])
    found = connection.execute(_SQL[kind], row).fetchone()
    if found is None:
        raise NotFoundError(arn)
    attached_to = json.loads(found[0])
    revised = attached_to["latest"] if kind == "function" else attached_to
    if revised["revision_id"] != row["expected"]:
        raise StaleRevisionError(arn)
    revised["revision_id"] = row["revision_id"]
    connection.execute(_SQL[f"revise_{kind}"], row | {"attached_to": json.dumps(attached_to)})
    connection.execute(_SQL[statement], row)
    note_function(connection, FunctionId(row["account_id"], row["region"], row["name"]))


def _kind(qualifier: str) -> str:
    if not qualifier:
        return "function"
    return "version" if qualifier.isdigit() and len(qualifier) <= _NUMBER_DIGITS_MOST else "alias"


def _row(function: FunctionId, qualifier: str) -> dict[str, Any]:
    return {
        "account_id": function.account_id,
        "region": function.region,
        "name": function.name,
        "qualifier": qualifier,
        "version": int(qualifier) if _kind(qualifier) == "version" else None,
    }
