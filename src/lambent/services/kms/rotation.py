"""New material for old keys: EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand,
ListKeyRotations.

A key that is due gets its new material when it next encrypts; what older material encrypted, it goes on decrypting.
"""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key, Rotation
from lambent.model.service import Operation
from lambent.services.kms.errors import LimitExceededException, UnsupportedOperationException
from lambent.services.kms.key_material import KeyMaterial
from lambent.services.kms.key_reference import find_key, require_usable
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import SYMMETRIC
from lambent.services.kms.pages import page

_DAY = 86_400.0
_PERIOD_DAYS = 365
_ON_DEMAND_MOST = 25


class Rotations:
    def __init__(self, ring: KeyRing, material: KeyMaterial, clock: Clock) -> None:
        self._ring = ring
        self._material = material
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "EnableKeyRotation": self.enable,
            "DisableKeyRotation": self.disable,
            "GetKeyRotationStatus": self.get_status,
            "RotateKeyOnDemand": self.rotate_on_demand,
            "ListKeyRotations": self.list,
        }

    async def enable(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._rotating(caller, parameters)
        days = parameters.get("RotationPeriodInDays") or key.rotation_period_days or _PERIOD_DAYS
        async with self._ring.lock(key.id):
            current = self._ring.key(key.id) or key
            rotates_at = self._clock.now() + days * _DAY
            await self._ring.put(replace(current, rotation_period_days=days, rotates_at=rotates_at))
        return {}

    async def disable(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._rotating(caller, parameters)
        async with self._ring.lock(key.id):
            current = self._ring.key(key.id) or key
            await self._ring.put(replace(current, rotation_period_days=None, rotates_at=None))
        return {}

    async def get_status(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = _require_rotatable(find_key(self._ring, caller, parameters["KeyId"]))
        status: Parameters = {
            "KeyRotationEnabled": key.rotates_at is not None,
            "KeyId": key.arn(partition_of(key.region)),
        }
        if key.rotates_at is not None:
            status["RotationPeriodInDays"] = key.rotation_period_days
            status["NextRotationDate"] = key.rotates_at
        return status

    async def rotate_on_demand(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._rotating(caller, parameters)
        if sum(rotation.type == "ON_DEMAND" for rotation in key.rotations) >= _ON_DEMAND_MOST:
            raise LimitExceededException("The quota of on-demand rotations of this key is used up.")
        async with self._ring.lock(key.id):
            await self._rotate(
                self._ring.key(key.id) or key, Rotation(at=self._clock.now(), type="ON_DEMAND")
            )
        return {"KeyId": key.arn(partition_of(key.region))}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = find_key(self._ring, caller, parameters["KeyId"])
        numbered = [(f"{number:06}", rotation) for number, rotation in enumerate(key.rotations)]

        def describe(entry: tuple[str, Rotation]) -> Parameters:
            return {
                "KeyId": key.arn(partition_of(key.region)),
                "RotationDate": entry[1].at,
                "RotationType": entry[1].type,
            }

        return page(parameters, numbered, lambda entry: entry[0], "Rotations", describe)

    def _rotating(self, caller: Caller, parameters: Parameters) -> Key:
        return require_usable(_require_rotatable(find_key(self._ring, caller, parameters["KeyId"])))

    async def rotate_if_due(self, key: Key) -> Key:
        """The key as it shall encrypt now."""
        now = self._clock.now()
        if key.rotates_at is None or key.rotates_at > now:
            return key
        async with self._ring.lock(key.id):
            current = self._ring.key(key.id) or key
            if current.rotates_at is None or current.rotates_at > now:
                return current
            return await self._rotate(current, Rotation(at=now, type="AUTOMATIC"))

    async def _rotate(self, key: Key, rotation: Rotation) -> Key:
        days = key.rotation_period_days
        rotated = replace(
            key,
            materials=(*key.materials, self._material.create(key.id)),
            rotations=(*key.rotations, rotation),
            rotates_at=None if days is None else rotation.at + days * _DAY,
        )
        await self._ring.put(rotated)
        return rotated


def _require_rotatable(key: Key) -> Key:
    """Raises UnsupportedOperationException: only symmetric keys that are made here are rotated."""
    arn = key.arn(partition_of(key.region))
    if key.spec != SYMMETRIC:
        raise UnsupportedOperationException(
            f"{arn} key spec is {key.spec} which is not valid for this operation."
        )
    if key.origin != "AWS_KMS":
        raise UnsupportedOperationException(
            f"{arn} origin is {key.origin} which is not valid for this operation."
        )
    return key
