"""KMS on records in memory, asked as the api asks it: authorized by the key policies, then run."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

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


@pytest.fixture
def import_material(aws: Kms) -> Callable[..., Awaitable[Parameters]]:
    """Imports into a key as its owner does, with AWS's own way to wrap."""

    async def imported(
        id: str, material: bytes, *, algorithm: str = "RSAES_OAEP_SHA_256", **settings: Any
    ) -> Parameters:
        asked = await aws.call(
            "GetParametersForImport", KeyId=id, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048"
        )
        hash = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
        oaep = padding.OAEP(padding.MGF1(hash), hash, None)
        public = load_der_public_key(asked["PublicKey"])
        assert isinstance(public, RSAPublicKey)
        if algorithm.startswith("RSA_AES"):
            key = os.urandom(32)
            encrypted = public.encrypt(key, oaep) + aes_key_wrap_with_padding(key, material)
        else:
            encrypted = public.encrypt(material, oaep)
        return await aws.call(
            "ImportKeyMaterial",
            KeyId=id,
            ImportToken=asked["ImportToken"],
            EncryptedKeyMaterial=encrypted,
            **(settings or {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}),
        )

    return imported
