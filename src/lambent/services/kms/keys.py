"""Keys: CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, and their states from Enabled to deleted."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.model.service import Operation
from lambent.services.kms.errors import (
    KMSInvalidStateException,
    UnsupportedOperationException,
    ValidationException,
)
from lambent.services.kms.key_material import KeyMaterial, material_id
from lambent.services.kms.key_policies import default_policy, require_policy
from lambent.services.kms.key_reference import find_key, require_present
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import SYMMETRIC, described_algorithms, is_offered, usage_of_new
from lambent.services.kms.managed_keys import ManagedKeys
from lambent.services.kms.new_material import make_material
from lambent.services.kms.pages import page
from lambent.services.kms.tags import require_tags

_DAY = 86_400.0
_WINDOW_DAYS = (7, 30)
_ORIGINS = ("AWS_KMS", "EXTERNAL")


class Keys:
    def __init__(self, ring: KeyRing, material: KeyMaterial, managed: ManagedKeys, clock: Clock) -> None:
        self._ring = ring
        self._material = material
        self._managed = managed
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateKey": self.create,
            "DescribeKey": self.describe,
            "ListKeys": self.list,
            "UpdateKeyDescription": self.update_description,
            "EnableKey": self.enable,
            "DisableKey": self.disable,
            "ScheduleKeyDeletion": self.schedule_deletion,
            "CancelKeyDeletion": self.cancel_deletion,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_other_kinds(parameters)
        policy, origin = parameters.get("Policy"), parameters.get("Origin", "AWS_KMS")
        spec = parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec") or SYMMETRIC
        key = Key(
            account_id=caller.account_id,
            region=caller.region,
            id=new_uuid(),
            description=parameters.get("Description", ""),
            created_at=self._clock.now(),
            materials=(),
            policy=require_policy(policy) if policy else default_policy(caller),
            tags=require_tags({tag["TagKey"]: tag["TagValue"] for tag in parameters.get("Tags", ())}),
            spec=spec,
            usage=usage_of_new(spec, parameters.get("KeyUsage")),
            origin=origin,
        )
        if origin == "AWS_KMS":
            material = await asyncio.to_thread(make_material, spec)
            key = replace(key, materials=(self._material.wrap(key.id, material),))
        await self._ring.put(key)
        return {"KeyMetadata": describe_key(key)}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._managed.provide(caller, parameters["KeyId"])
        return {"KeyMetadata": describe_key(find_key(self._ring, caller, parameters["KeyId"]))}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        keys = self._ring.keys(caller.account_id, caller.region)
        return page(
            parameters,
            keys,
            lambda key: key.id,
            "Keys",
            lambda key: {"KeyId": key.id, "KeyArn": key.arn(partition_of(key.region))},
        )

    async def update_description(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = require_present(find_key(self._ring, caller, parameters["KeyId"]))
        await self._change(key.id, description=parameters["Description"])
        return {}

    async def enable(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = require_present(find_key(self._ring, caller, parameters["KeyId"]))
        await self._change(key.id, enabled=True)
        return {}

    async def disable(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = require_present(find_key(self._ring, caller, parameters["KeyId"]))
        await self._change(key.id, enabled=False)
        return {}

    async def schedule_deletion(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = require_present(find_key(self._ring, caller, parameters["KeyId"]))
        days = parameters.get("PendingWindowInDays", 30)
        if not _WINDOW_DAYS[0] <= days <= _WINDOW_DAYS[1]:
            raise ValidationException("PendingWindowInDays must be between 7 and 30.")
        deletion_at = self._clock.now() + days * _DAY
        await self._change(key.id, deletion_at=deletion_at, pending_window_days=days, enabled=False)
        return {
            "KeyId": key.arn(partition_of(key.region)),
            "DeletionDate": deletion_at,
            "KeyState": "PendingDeletion",
            "PendingWindowInDays": days,
        }

    async def cancel_deletion(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Leaves the key Disabled."""
        key = find_key(self._ring, caller, parameters["KeyId"])
        arn = key.arn(partition_of(key.region))
        if key.state != "PendingDeletion":
            raise KMSInvalidStateException(f"{arn} is not pending deletion.")
        await self._change(key.id, deletion_at=None)
        return {"KeyId": arn}

    async def _change(self, id: str, **changes: object) -> None:
        async with self._ring.lock(id):
            key = self._ring.key(id)
            if key is not None:
                await self._ring.put(replace(key, **changes))  # type: ignore[arg-type]


def describe_key(key: Key) -> Parameters:
    described: Parameters = {
        "AWSAccountId": key.account_id,
        "KeyId": key.id,
        "Arn": key.arn(partition_of(key.region)),
        "CreationDate": key.created_at,
        "Enabled": key.state == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "Origin": key.origin,
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        **described_algorithms(key),
        "MultiRegion": False,
    }
    if key.origin == "EXTERNAL" and key.materials:
        described["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE"
        if key.expires_at is not None:
            described |= {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": key.expires_at}
    if key.deletion_at is not None:
        described["DeletionDate"] = key.deletion_at
    elif key.spec == SYMMETRIC and key.materials:
        described["CurrentKeyMaterialId"] = material_id(key)
    return described


def _refuse_other_kinds(parameters: Parameters) -> None:
    for member, offered in (
        ("KeySpec", is_offered),
        ("CustomerMasterKeySpec", is_offered),
        ("Origin", _ORIGINS.__contains__),
    ):
        if member in parameters and not offered(parameters[member]):
            raise UnsupportedOperationException(f"Lambent does not offer {member} {parameters[member]}.")
    for member in ("MultiRegion", "CustomKeyStoreId", "XksKeyId"):
        if parameters.get(member):
            raise UnsupportedOperationException(f"Lambent does not offer keys with {member}.")
