"""IAM roles and customer-managed policies."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.model.role import ManagedPolicy, Role
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.records import Record
from lambent.store.sql.changes import note
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("roles")
_ROLE = Record(Role)
_POLICY = Record(ManagedPolicy)


class SqlRoleStore:
    """Implements lambent.store.ports.roles.RoleStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, role: Role) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert"], _role_row(role)).rowcount == 0:
                raise AlreadyExistsError(role.arn())
            _attach(connection, role)
            note(connection, "account", role.account_id)

        await self._database.write(work)

    async def get(self, account_id: str, name: str) -> Role | None:
        found = await self._all("get", _key(account_id, name), _ROLE)
        return found[0] if found else None

    async def replace(self, role: Role, *, previous: Role) -> None:
        row = _role_row(role)

        def work(connection: Connection) -> None:
            _expect(connection.execute(_SQL["get"], row).fetchone(), _ROLE, previous, role.arn())
            connection.execute(_SQL["replace"], row)
            connection.execute(_SQL["detach_all"], row)
            _attach(connection, role)
            note(connection, "account", role.account_id)

        await self._database.write(work)

    async def delete(self, account_id: str, name: str) -> None:
        row = _key(account_id, name)

        def work(connection: Connection) -> None:
            if connection.execute(_SQL["delete"], row).rowcount == 0:
                raise NotFoundError(f"role {name}")
            connection.execute(_SQL["detach_all"], row)
            note(connection, "account", account_id)

        await self._database.write(work)

    async def page(
        self, account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> Sequence[Role]:
        return await self._all("page", _page_row(account_id, path_prefix, after, limit), _ROLE)

    async def insert_policy(self, policy: ManagedPolicy) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["insert_policy"], _policy_row(policy)).rowcount == 0:
                raise AlreadyExistsError(policy.arn())
            note(connection, "account", policy.account_id)

        await self._database.write(work)

    async def get_policy(self, account_id: str, name: str) -> ManagedPolicy | None:
        found = await self._all("get_policy", _key(account_id, name), _POLICY)
        return found[0] if found else None

    async def replace_policy(self, policy: ManagedPolicy, *, previous: ManagedPolicy) -> None:
        row = _policy_row(policy)

        def work(connection: Connection) -> None:
            _expect(connection.execute(_SQL["get_policy"], row).fetchone(), _POLICY, previous, policy.arn())
            connection.execute(_SQL["replace_policy"], row)
            note(connection, "account", policy.account_id)

        await self._database.write(work)

    async def delete_policy(self, account_id: str, name: str) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(_SQL["delete_policy"], _key(account_id, name)).rowcount == 0:
                raise NotFoundError(f"policy {name}")
            note(connection, "account", account_id)

        await self._database.write(work)

    async def page_policies(
        self, account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> Sequence[ManagedPolicy]:
        return await self._all("page_policies", _page_row(account_id, path_prefix, after, limit), _POLICY)

    async def attached_roles(self, account_id: str, policy_arn: str) -> Sequence[Role]:
        return await self._all("attached", {"account_id": account_id, "policy_arn": policy_arn}, _ROLE)

    async def _all(self, statement: str, row: Mapping[str, Any], record: Record[Any]) -> list[Any]:
        return await self._database.read(
            lambda connection: [record.decode(text) for (text,) in connection.execute(_SQL[statement], row)]
        )


def _expect(stored: tuple[str] | None, record: Record[Any], previous: object, arn: str) -> None:
    """Compares values, not text: a record that an older Lambent wrote is equal when it means the same."""
    if stored is None:
        raise NotFoundError(arn)
    if record.decode(stored[0]) != previous:
        raise StaleRevisionError(arn)


def _attach(connection: Connection, role: Role) -> None:
    key = _key(role.account_id, role.name)
    for arn in role.attached_policies:
        connection.execute(_SQL["attach"], key | {"policy_arn": arn})


def _key(account_id: str, name: str) -> dict[str, Any]:
    """IAM's names are unique and found whatever their case; they hold ASCII only. The document has it as written."""
    return {"account_id": account_id, "name": name.lower()}


def _page_row(account_id: str, path_prefix: str, after: str | None, limit: int) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "path_prefix": path_prefix,
        "after": (after or "").lower(),
        "limit": limit,
    }


def _role_row(role: Role) -> dict[str, Any]:
    return _key(role.account_id, role.name) | {"path": role.path, "document": _ROLE.encode(role)}


def _policy_row(policy: ManagedPolicy) -> dict[str, Any]:
    return _key(policy.account_id, policy.name) | {"path": policy.path, "document": _POLICY.encode(policy)}
