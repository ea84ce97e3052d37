"""A role store in memory, for the services that read roles."""

from collections.abc import Sequence

import pytest

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.model.role import ManagedPolicy, Role
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError


class MemoryRoleStore:
    """Implements RoleStore. `conflicts` counts down writes that are to fail as if another writer had been faster."""

    def __init__(self) -> None:
        self.roles: dict[tuple[str, str], Role] = {}
        self.policies: dict[tuple[str, str], ManagedPolicy] = {}
        self.reads = 0
        self.conflicts = 0

    async def insert(self, role: Role) -> None:
        if _key(role) in self.roles:
            raise AlreadyExistsError
        self.roles[_key(role)] = role

    async def get(self, account_id: str, name: str) -> Role | None:
        self.reads += 1
        return self.roles.get((account_id, name.lower()))

    async def replace(self, role: Role, *, previous: Role) -> None:
        if _key(role) not in self.roles:
            raise NotFoundError
        if self.conflicts or self.roles[_key(role)] != previous:
            self.conflicts -= 1
            raise StaleRevisionError
        self.roles[_key(role)] = role

    async def delete(self, account_id: str, name: str) -> None:
        if self.roles.pop((account_id, name.lower()), None) is None:
            raise NotFoundError

    async def page(
        self, account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> Sequence[Role]:
        found = [
            role
            for role in sorted(self.roles.values(), key=lambda role: role.name.lower())
            if role.account_id == account_id and role.path.startswith(path_prefix)
        ]
        return [role for role in found if after is None or role.name.lower() > after.lower()][:limit]

    async def insert_policy(self, policy: ManagedPolicy) -> None:
        if _key(policy) in self.policies:
            raise AlreadyExistsError
        self.policies[_key(policy)] = policy

    async def get_policy(self, account_id: str, name: str) -> ManagedPolicy | None:
        return self.policies.get((account_id, name.lower()))

    async def replace_policy(self, policy: ManagedPolicy, *, previous: ManagedPolicy) -> None:
        if _key(policy) not in self.policies:
            raise NotFoundError
        if self.policies[_key(policy)] != previous:
            raise StaleRevisionError
        self.policies[_key(policy)] = policy

    async def delete_policy(self, account_id: str, name: str) -> None:
        if self.policies.pop((account_id, name.lower()), None) is None:
            raise NotFoundError

    async def page_policies(
        self, account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> Sequence[ManagedPolicy]:
        found = [
            policy
            for policy in sorted(self.policies.values(), key=lambda policy: policy.name.lower())
            if policy.account_id == account_id and policy.path.startswith(path_prefix)
        ]
        return [policy for policy in found if after is None or policy.name.lower() > after.lower()][:limit]

    async def attached_roles(self, account_id: str, policy_arn: str) -> Sequence[Role]:
        roles = sorted(self.roles.values(), key=lambda role: role.name)
        return [r for r in roles if r.account_id == account_id and policy_arn in r.attached_policies]


def _key(record: Role | ManagedPolicy) -> tuple[str, str]:
    return record.account_id, record.name.lower()


@pytest.fixture
def role_store() -> MemoryRoleStore:
    return MemoryRoleStore()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def root() -> Caller:
    return Caller(
        account_id="111122223333",
        region="eu-west-1",
        principal_arn="arn:aws:iam::111122223333:root",
        user_id="111122223333",
        access_key_id="AKIAIOSFODNN7EXAMPLE",
    )
