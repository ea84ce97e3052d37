import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambent.base.sealing import Sealing
from lambent.services.iam import Authorizer, KeyUses, Stores, UserCredentials, service
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.named_records import Name

Call = Callable[..., Awaitable[dict[str, Any]]]

SEALING = Sealing(bytes(32))
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.fixture
def trust() -> str:
    return TRUST


class MemoryRecords:
    """What IAM uses of NamedRecords."""

    def __init__(self) -> None:
        self.values: dict[Name, Any] = {}

    async def insert(self, name: Name, value: Any) -> None:
        if name in self.values:
            raise AlreadyExistsError
        self.values[name] = value

    async def get(self, name: Name) -> Any:
        return self.values.get(name)

    async def replace(self, name: Name, value: Any, *, previous: Any) -> None:
        assert self.values[name] == previous
        self.values[name] = value

    async def rename(self, name: Name, new_name: Name, value: Any, *, previous: Any) -> None:
        await self.insert(new_name, value)
        del self.values[name]

    async def delete(self, name: Name) -> None:
        if self.values.pop(name, None) is None:
            raise NotFoundError

    async def page(
        self, account_id: str, region: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[tuple[Name, Any]]:
        found = sorted(self.values.items())
        return [(n, v) for n, v in found if n.account_id == account_id and ("", n.name) > after][:limit]

    async def all(self) -> list[tuple[Name, Any]]:
        return sorted(self.values.items())


@pytest.fixture
def people() -> Stores:
    return Stores(
        users=MemoryRecords(),
        groups=MemoryRecords(),
        instance_profiles=MemoryRecords(),
        accounts=MemoryRecords(),
        providers=MemoryRecords(),
        key_uses=MemoryRecords(),
    )


@pytest.fixture
def key_uses(people, clock) -> KeyUses:
    return KeyUses(people.key_uses, clock)


@pytest.fixture
def authorizer(role_store, clock, people, key_uses) -> Authorizer:
    return Authorizer(role_store, clock, people, key_uses)


@pytest.fixture
def credentials(people) -> UserCredentials:
    return UserCredentials(people.users, SEALING)


@pytest.fixture
def iam(role_store, clock, authorizer, root, people, credentials, key_uses) -> Call:
    """Calls an operation as the account's root: `await iam("GetRole", RoleName="x")`, or as a `caller`."""
    offered = service(role_store, people, clock, authorizer, credentials, SEALING, key_uses)

    async def call(operation: str, caller: Any = root, **parameters: Any) -> dict[str, Any]:
        return await offered.operations[operation](caller, parameters)

    return call


@pytest.fixture
def allow() -> Callable[..., str]:
    """The text of a policy of one statement."""

    def document(action: Any, resource: Any = "*", effect: str = "Allow", **members: Any) -> str:
        statement = {"Effect": effect, "Action": action, "Resource": resource, **members}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    return document
