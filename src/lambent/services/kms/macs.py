"""GenerateMac and VerifyMac."""

import hmac
from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.model.service import Operation
from lambent.services.kms.errors import KMSInvalidMacException
from lambent.services.kms.key_material import KeyMaterial
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import MAC
from lambent.services.kms.key_use import arn_of, key_to_use, stop_dry_run


class Macs:
    def __init__(self, ring: KeyRing, material: KeyMaterial) -> None:
        self._ring = ring
        self._material = material

    def operations(self) -> Mapping[str, Operation]:
        return {"GenerateMac": self.generate, "VerifyMac": self.verify}

    async def generate(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._key(caller, parameters, "GenerateMac")
        stop_dry_run(parameters)
        return {
            "Mac": self._mac(key, parameters),
            "MacAlgorithm": parameters["MacAlgorithm"],
            "KeyId": arn_of(key),
        }

    async def verify(self, caller: Caller, parameters: Parameters) -> Parameters:
        """A code that does not fit is an error, as at AWS."""
        key = self._key(caller, parameters, "VerifyMac")
        if not hmac.compare_digest(self._mac(key, parameters), bytes(parameters["Mac"])):
            raise KMSInvalidMacException
        stop_dry_run(parameters)
        return {"KeyId": arn_of(key), "MacValid": True, "MacAlgorithm": parameters["MacAlgorithm"]}

    def _key(self, caller: Caller, parameters: Parameters, operation: str) -> Key:
        return key_to_use(self._ring, caller, parameters["KeyId"], MAC, operation, parameters["MacAlgorithm"])

    def _mac(self, key: Key, parameters: Parameters) -> bytes:
        hash = parameters["MacAlgorithm"].removeprefix("HMAC_").replace("_", "").lower()
        return hmac.digest(self._material.current(key), bytes(parameters["Message"]), hash)
