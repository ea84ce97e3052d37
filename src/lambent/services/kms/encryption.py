"""Encrypt, Decrypt, ReEncrypt, data keys and random bytes."""

import os
from collections.abc import Mapping

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.model.service import Operation
from lambent.services.kms.errors import (
    DryRunOperationException,
    IncorrectKeyException,
    InvalidCiphertextException,
    UnsupportedOperationException,
    ValidationException,
)
from lambent.services.kms.key_material import EncryptionContext, KeyMaterial, header_of, material_id
from lambent.services.kms.key_reference import find_key, require_usable
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.rotation import Rotations

_ALGORITHM = "SYMMETRIC_DEFAULT"
_DATA_KEY_BYTES = {"AES_256": 32, "AES_128": 16}


class Encryption:
    def __init__(self, ring: KeyRing, material: KeyMaterial, rotations: Rotations) -> None:
        self._ring = ring
        self._material = material
        self._rotations = rotations

    def operations(self) -> Mapping[str, Operation]:
        return {
            "Encrypt": self.encrypt,
            "Decrypt": self.decrypt,
            "ReEncrypt": self.re_encrypt,
            "GenerateDataKey": self.generate_data_key,
            "GenerateDataKeyWithoutPlaintext": self.generate_data_key_without_plaintext,
            "GenerateRandom": self.generate_random,
        }

    async def encrypt(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_unsupported(parameters, "EncryptionAlgorithm")
        key = await self._encrypting(caller, parameters["KeyId"])
        _stop_dry_run(parameters)
        ciphertext = self._material.encrypt(key, bytes(parameters["Plaintext"]), _context(parameters))
        return {"CiphertextBlob": ciphertext, "KeyId": _arn(key), "EncryptionAlgorithm": _ALGORITHM}

    async def decrypt(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_unsupported(parameters, "EncryptionAlgorithm")
        ciphertext = bytes(parameters.get("CiphertextBlob", b""))
        key = self._decrypting(caller, ciphertext, parameters.get("KeyId"))
        plaintext = self._material.decrypt(key, ciphertext, _context(parameters))
        _stop_dry_run(parameters)
        return {
            "KeyId": _arn(key),
            "Plaintext": plaintext,
            "EncryptionAlgorithm": _ALGORITHM,
            "KeyMaterialId": material_id(key, header_of(ciphertext).material),
        }

    async def re_encrypt(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_unsupported(parameters, "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")
        ciphertext = bytes(parameters.get("CiphertextBlob", b""))
        source = self._decrypting(caller, ciphertext, parameters.get("SourceKeyId"))
        destination = await self._encrypting(caller, parameters["DestinationKeyId"])
        plaintext = self._material.decrypt(
            source, ciphertext, _context(parameters, "SourceEncryptionContext")
        )
        _stop_dry_run(parameters)
        made = self._material.encrypt(
            destination, plaintext, _context(parameters, "DestinationEncryptionContext")
        )
        return {
            "CiphertextBlob": made,
            "SourceKeyId": _arn(source),
            "KeyId": _arn(destination),
            "SourceEncryptionAlgorithm": _ALGORITHM,
            "DestinationEncryptionAlgorithm": _ALGORITHM,
            "SourceKeyMaterialId": material_id(source, header_of(ciphertext).material),
            "DestinationKeyMaterialId": material_id(destination),
        }

    async def generate_data_key(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_unsupported(parameters)
        if ("NumberOfBytes" in parameters) is ("KeySpec" in parameters):
            raise ValidationException("Please specify either number of bytes or key spec.")
        key = await self._encrypting(caller, parameters["KeyId"])
        _stop_dry_run(parameters)
        size = parameters.get("NumberOfBytes") or _DATA_KEY_BYTES[parameters["KeySpec"]]
        plaintext = os.urandom(size)
        return {
            "CiphertextBlob": self._material.encrypt(key, plaintext, _context(parameters)),
            "Plaintext": plaintext,
            "KeyId": _arn(key),
            "KeyMaterialId": material_id(key),
        }

    async def generate_data_key_without_plaintext(self, caller: Caller, parameters: Parameters) -> Parameters:
        made = await self.generate_data_key(caller, parameters)
        del made["Plaintext"]
        return made

    async def generate_random(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_unsupported(parameters)
        if "NumberOfBytes" not in parameters:
            raise ValidationException("NumberOfBytes is required.")
        return {"Plaintext": os.urandom(parameters["NumberOfBytes"])}

    async def _encrypting(self, caller: Caller, text: str) -> Key:
        key = require_usable(find_key(self._ring, caller, text))
        return await self._rotations.rotate_if_due(key)

    def _decrypting(self, caller: Caller, ciphertext: bytes, named: str | None) -> Key:
        """The key that made a ciphertext. Raises IncorrectKeyException where another is named."""
        key = self._ring.key(header_of(ciphertext).key_id)
        if named is not None and find_key(self._ring, caller, named) != key:
            raise IncorrectKeyException
        if key is None or key.region != caller.region:
            raise InvalidCiphertextException
        return require_usable(key)


def _context(parameters: Parameters, member: str = "EncryptionContext") -> EncryptionContext:
    context: EncryptionContext = parameters.get(member, {})
    return context


def _refuse_unsupported(parameters: Parameters, *algorithms: str) -> None:
    if "Recipient" in parameters or "CustomKeyStoreId" in parameters:
        raise UnsupportedOperationException("Lambent has no enclaves and no custom key stores.")
    for member in algorithms:
        if parameters.get(member, _ALGORITHM) != _ALGORITHM:
            raise ValidationException(f"{member} {parameters[member]} does not fit a symmetric key.")


def _stop_dry_run(parameters: Parameters) -> None:
    if parameters.get("DryRun"):
        raise DryRunOperationException


def _arn(key: Key) -> str:
    return key.arn(partition_of(key.region))
