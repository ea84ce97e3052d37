"""Keys that AWS manages: a service's own in an account, there from the first time that somebody asks for it by its
alias. Nobody changes them, and everybody in the account may use them.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html, of AWS aliases without a key.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller
from lambent.model.kms import Alias, Key
from lambent.services.kms.errors import AlreadyExistsException
from lambent.services.kms.key_material import KeyMaterial
from lambent.services.kms.key_ring import KeyRing
from lambent.store.ports.errors import AlreadyExistsError

_DESCRIPTIONS: Mapping[str, str] = {
    "alias/aws/s3": "Default key that protects my S3 objects when no other key is defined",
}
_USES = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def managed_key_id(account_id: str, region: str, alias: str) -> str | None:
    """What the key has for an id, whether or not it is there already; None where the alias is no service's."""
    if alias not in _DESCRIPTIONS:
        return None
    digest = hashlib.sha256(f"{alias} of {account_id} in {region}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


class ManagedKeys:
    def __init__(self, ring: KeyRing, material: KeyMaterial, clock: Clock) -> None:
        self._ring = ring
        self._material = material
        self._clock = clock

    async def provide(self, caller: Caller, name: str) -> None:
        """Makes the key that a name stands for, where it is a service's and not there yet."""
        alias = name[name.find("alias/") :]
        id = managed_key_id(caller.account_id, caller.region, alias)
        if id is None or self._ring.alias(caller.account_id, caller.region, alias) is not None:
            return
        async with self._ring.lock(id):
            try:
                await self._provide(caller, id, alias)
            except (AlreadyExistsError, AlreadyExistsException):  # another node was quicker
                await self._ring.open()

    async def _provide(self, caller: Caller, id: str, alias: str) -> None:
        now = self._clock.now()
        if self._ring.key(id) is None:
            await self._ring.put(self._made(caller, id, alias, now))
        if self._ring.alias(caller.account_id, caller.region, alias) is None:
            named = Alias(
                account_id=caller.account_id,
                region=caller.region,
                name=alias,
                key_id=id,
                created_at=now,
                updated_at=now,
            )
            await self._ring.add_alias(named)

    def _made(self, caller: Caller, id: str, alias: str, now: float) -> Key:
        return Key(
            account_id=caller.account_id,
            region=caller.region,
            id=id,
            manager="AWS",
            description=_DESCRIPTIONS[alias],
            created_at=now,
            materials=(self._material.create(id),),
            policy=_policy(caller),
        )


def _policy(caller: Caller) -> str:
    root = f"arn:{partition_of(caller.region)}:iam::{caller.account_id}:root"
    using = {
        "Sid": "Allow access for all principals in the account that are authorized to use the service",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(_USES),
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:CallerAccount": caller.account_id}},
    }
    reading = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "auto-aws", "Statement": [using, reading]})
