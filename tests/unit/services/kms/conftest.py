"""KMS on records in memory, asked as the api asks it: authorized by the key policies, then run."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lambent.api.authorize import require_permission
from lambent.base.clock import ManualClock
from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.services.iam import Authorizer
from lambent.services.kms import KmsStores, kms
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name

ACCOUNT = "123456789012"


class MemoryRecords:
    """What KMS uses of NamedRecords."""

    def __init__(self) -> None:
        self.values: dict[Name, Any] = {}

    async def insert(self, name: Name, value: Any) -> None:
        if name in self.values:
            raise AlreadyExistsError
        self.values[name] = value

    async def replace(self, name: Name, value: Any, *, previous: Any) -> None:
        if name not in self.values:
            raise NotFoundError
        if self.values[name] != previous:
            raise StaleRevisionError
        self.values[name] = value

    async def get(self, name: Name) -> Any:
        return self.values.get(name)

    async def advance(self, name: Name, *, previous: Any, value: None, due_at: None, deliveries: Any) -> None:
        await self.replace(name, previous, previous=previous)
        await self.delete(name)

    async def delete(self, name: Name) -> None:
        if self.values.pop(name, None) is None:
            raise NotFoundError

    async def all(self) -> Sequence[tuple[Name, Any]]:
        return sorted(self.values.items())


class Roles:
    """A RoleStore with one role, which has one inline policy."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def get(self, account_id: str, name: str) -> Role | None:
        return self.role if (account_id, name) == (self.role.account_id, self.role.name) else None

    async def get_policy(self, account_id: str, name: str) -> None:
        return None


class Kms:
    def __init__(self) -> None:
        self.stores = KmsStores(keys=MemoryRecords(), aliases=MemoryRecords(), grants=MemoryRecords())
        self.clock = ManualClock()
        self.made = kms(self.stores, clock=self.clock, secret=b"secret")
        self.caller = Caller(
            account_id=ACCOUNT,
            region="us-east-1",
            principal_arn=f"arn:aws:iam::{ACCOUNT}:root",
            user_id=ACCOUNT,
            access_key_id="AKIA",
        )
        self.role = Role(
            account_id=ACCOUNT,
            name="works",
            id="AROA1",
            created_at=1.0,
            trust_policy="{}",
        )

    async def restart(self) -> None:
        """Another server on the same stores."""
        self.made = kms(self.stores, clock=self.clock, secret=b"secret")
        await self.made.ring.open()

    async def call(self, operation: str, **parameters: Any) -> Parameters:
        service = self.made.service
        authorizer = Authorizer(Roles(self.role), self.clock)  # type: ignore[arg-type]
        await require_permission(authorizer, self.caller, service, "kms", operation, parameters)
        return await service.operations[operation](self.caller, parameters)

    def by(self, **changes: Any) -> "Kms":
        other = object.__new__(Kms)
        other.__dict__.update(self.__dict__)
        other.caller = replace(self.caller, **changes)
        return other

    def by_role(self, policy: str | None = None) -> "Kms":
        """The role's session; `policy` is the role's own."""
        other = self.by(
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/works/s",
            user_id="AROA1:s",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/works",
            access_key_id="ASIA",
        )
        other.role = replace(self.role, inline_policies={} if policy is None else {"p": policy})
        return other

    async def key(self, **settings: Any) -> str:
        created = await self.call("CreateKey", **settings)
        return str(created["KeyMetadata"]["KeyId"])


@pytest.fixture
def aws() -> Kms:
    return Kms()
