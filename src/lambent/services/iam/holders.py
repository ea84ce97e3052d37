"""Who has policies: roles, users and groups, for the operations that are the same for each."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from lambent.model.caller import Caller
from lambent.model.role import Role
from lambent.services.iam.records import Records
from lambent.services.iam.service_linked_roles import refuse_service_linked

H = TypeVar("H")


class Holders(Protocol[H]):
    """`kind` as in the names of operations and members: "Role" of PutRolePolicy and RoleName."""

    kind: str

    async def find(self, caller: Caller, name: str) -> H:
        """Raises NoSuchEntity."""
        ...

    async def change(self, caller: Caller, name: str, edit: Callable[[H], H]) -> H:
        """Raises NoSuchEntity, ConcurrentModification, and what `edit` raises."""
        ...


class RoleHolders:
    kind = "Role"

    def __init__(self, records: Records) -> None:
        self._records = records

    async def find(self, caller: Caller, name: str) -> Role:
        return await self._records.role(caller, name)

    async def change(self, caller: Caller, name: str, edit: Callable[[Role], Role]) -> Role:
        def edit_ours(role: Role) -> Role:
            refuse_service_linked(role)
            return edit(role)

        return await self._records.change_role(caller, name, edit_ours)
