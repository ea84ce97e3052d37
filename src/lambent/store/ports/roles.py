"""IAM roles and customer-managed policies."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.role import ManagedPolicy, Role


class RoleStore(Protocol):
    """Replacing is by whole record and by comparison: `previous` must equal what is stored (StaleRevisionError)."""

    async def insert(self, role: Role) -> None:
        """Raises AlreadyExistsError: role names are unique in an account, whatever their case or path."""
        ...

    async def get(self, account_id: str, name: str) -> Role | None:
        """By name, case-insensitively, as IAM compares."""
        ...

    async def replace(self, role: Role, *, previous: Role) -> None:
        """Raises NotFoundError, StaleRevisionError."""
        ...

    async def delete(self, account_id: str, name: str) -> None:
        """Raises NotFoundError."""
        ...

    async def page(
        self, account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> Sequence[Role]:
        """By name."""
        ...

    async def insert_policy(self, policy: ManagedPolicy) -> None:
        """Raises AlreadyExistsError."""
        ...

    async def get_policy(self, account_id: str, name: str) -> ManagedPolicy | None: ...

    async def replace_policy(self, policy: ManagedPolicy, *, previous: ManagedPolicy) -> None:
        """Raises NotFoundError, StaleRevisionError."""
        ...

    async def delete_policy(self, account_id: str, name: str) -> None:
        """Raises NotFoundError."""
        ...

    async def page_policies(
        self, account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> Sequence[ManagedPolicy]: ...

    async def attached_roles(self, account_id: str, policy_arn: str) -> Sequence[Role]:
        """The roles to which a managed policy is attached, by name."""
        ...
