"""Keys that are used elsewhere: GenerateDataKey, GenerateDataKeyPair, each WithoutPlaintext too; GenerateRandom."""

import asyncio
import os
from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.model.service import Operation
from lambent.services.kms import key_pairs
from lambent.services.kms.errors import UnsupportedOperationException, ValidationException
from lambent.services.kms.key_material import KeyMaterial, material_id
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import ENCRYPTION, SYMMETRIC, is_asymmetric, is_offered
from lambent.services.kms.key_use import arn_of, key_to_use, refuse_recipients, stop_dry_run
from lambent.services.kms.rotation import Rotations

_BYTES = {"AES_256": 32, "AES_128": 16}


class DataKeys:
    def __init__(self, ring: KeyRing, material: KeyMaterial, rotations: Rotations) -> None:
        self._ring = ring
        self._material = material
        self._rotations = rotations

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GenerateDataKey": self.generate,
            "GenerateDataKeyWithoutPlaintext": self.generate_without_plaintext,
            "GenerateDataKeyPair": self.generate_pair,
            "GenerateDataKeyPairWithoutPlaintext": self.generate_pair_without_plaintext,
            "GenerateRandom": self.generate_random,
        }

    async def generate(self, caller: Caller, parameters: Parameters) -> Parameters:
        refuse_recipients(parameters)
        if ("NumberOfBytes" in parameters) is ("KeySpec" in parameters):
            raise ValidationException("Please specify either number of bytes or key spec.")
        key = await self._key(caller, parameters, "GenerateDataKey")
        stop_dry_run(parameters)
        plaintext = os.urandom(parameters.get("NumberOfBytes") or _BYTES[parameters["KeySpec"]])
        return {
            "CiphertextBlob": self._encrypted(key, plaintext, parameters),
            "Plaintext": plaintext,
            "KeyId": arn_of(key),
            "KeyMaterialId": material_id(key),
        }

    async def generate_without_plaintext(self, caller: Caller, parameters: Parameters) -> Parameters:
        made = await self.generate(caller, parameters)
        del made["Plaintext"]
        return made

    async def generate_pair(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Keys are DER: the private one PKCS #8, the public one SubjectPublicKeyInfo."""
        refuse_recipients(parameters)
        spec = parameters["KeyPairSpec"]
        if not (is_offered(spec) and is_asymmetric(spec)):
            raise UnsupportedOperationException(f"Lambent makes no pairs of {spec}.")
        key = await self._key(caller, parameters, "GenerateDataKeyPair")
        stop_dry_run(parameters)
        private = await asyncio.to_thread(key_pairs.make_pair, spec)
        return {
            "PrivateKeyCiphertextBlob": self._encrypted(key, private, parameters),
            "PrivateKeyPlaintext": private,
            "PublicKey": key_pairs.public_half(private),
            "KeyId": arn_of(key),
            "KeyPairSpec": spec,
            "KeyMaterialId": material_id(key),
        }

    async def generate_pair_without_plaintext(self, caller: Caller, parameters: Parameters) -> Parameters:
        made = await self.generate_pair(caller, parameters)
        del made["PrivateKeyPlaintext"]
        return made

    async def generate_random(self, caller: Caller, parameters: Parameters) -> Parameters:
        refuse_recipients(parameters)
        if "NumberOfBytes" not in parameters:
            raise ValidationException("NumberOfBytes is required.")
        return {"Plaintext": os.urandom(parameters["NumberOfBytes"])}

    async def _key(self, caller: Caller, parameters: Parameters, operation: str) -> Key:
        key = key_to_use(self._ring, caller, parameters["KeyId"], ENCRYPTION, operation, SYMMETRIC)
        return await self._rotations.rotate_if_due(key)

    def _encrypted(self, key: Key, plaintext: bytes, parameters: Parameters) -> bytes:
        return self._material.encrypt(key, plaintext, parameters.get("EncryptionContext", {}))
