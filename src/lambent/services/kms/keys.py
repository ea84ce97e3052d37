"""Keys: CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, and their states from Enabled to deleted."""

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
from lambent.services.kms.managed_keys import ManagedKeys
from lambent.services.kms.pages import page
from lambent.services.kms.tags import require_tags

_DAY = 86_400.0
_WINDOW_DAYS = (7, 30)
_ONLY: Mapping[str, str] = {
    "KeyUsage": "ENCRYPT_DECRYPT",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "Origin": "AWS_KMS",
}


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
        id = new_uuid()
        policy = parameters.get("Policy")
        key = Key(
            account_id=caller.account_id,
            region=caller.region,
            id=id,
            description=parameters.get("Description", ""),
            created_at=self._clock.now(),
            materials=(self._material.create(id),),
            policy=require_policy(policy) if policy else default_policy(caller),
            tags=require_tags({tag["TagKey"]: tag["TagValue"] for tag in parameters.get("Tags", ())}),
        )
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
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state,
        "Origin": "AWS_KMS",
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    if key.deletion_at is None:
        described["CurrentKeyMaterialId"] = material_id(key)
    else:
        described["DeletionDate"] = key.deletion_at
    return described


def _refuse_other_kinds(parameters: Parameters) -> None:
    for member, only in _ONLY.items():
        if parameters.get(member, only) != only:
            raise UnsupportedOperationException(
                f"Lambent's keys are symmetric and made here: {member} {parameters[member]} is not offered."
            )
    for member in ("MultiRegion", "CustomKeyStoreId", "XksKeyId"):
        if parameters.get(member):
            raise UnsupportedOperationException(f"Lambent does not offer keys with {member}.")
