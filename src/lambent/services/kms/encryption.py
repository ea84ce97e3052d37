"""Encrypt, Decrypt and ReEncrypt, under symmetric keys and under RSA."""

import asyncio
from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.model.service import Operation
from lambent.services.kms import key_pairs
from lambent.services.kms.errors import (
    IncorrectKeyException,
    InvalidCiphertextException,
    ValidationException,
)
from lambent.services.kms.key_material import EncryptionContext, KeyMaterial, header_of, material_id
from lambent.services.kms.key_reference import find_key, require_usable
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import ENCRYPTION, SYMMETRIC, require_use
from lambent.services.kms.key_use import arn_of, key_to_use, refuse_recipients, stop_dry_run
from lambent.services.kms.rotation import Rotations


class Encryption:
    def __init__(self, ring: KeyRing, material: KeyMaterial, rotations: Rotations) -> None:
        self._ring = ring
        self._material = material
        self._rotations = rotations

    def operations(self) -> Mapping[str, Operation]:
        return {"Encrypt": self.encrypt, "Decrypt": self.decrypt, "ReEncrypt": self.re_encrypt}

    async def encrypt(self, caller: Caller, parameters: Parameters) -> Parameters:
        refuse_recipients(parameters)
        algorithm = parameters.get("EncryptionAlgorithm", SYMMETRIC)
        key = await self._encrypting(caller, parameters["KeyId"], "Encrypt", algorithm)
        context = _context(parameters, "EncryptionContext", algorithm)
        stop_dry_run(parameters)
        ciphertext = await self._encrypted(key, algorithm, bytes(parameters["Plaintext"]), context)
        return {"CiphertextBlob": ciphertext, "KeyId": arn_of(key), "EncryptionAlgorithm": algorithm}

    async def decrypt(self, caller: Caller, parameters: Parameters) -> Parameters:
        refuse_recipients(parameters)
        algorithm = parameters.get("EncryptionAlgorithm", SYMMETRIC)
        ciphertext = bytes(parameters.get("CiphertextBlob", b""))
        key = self._decrypting(caller, ciphertext, parameters.get("KeyId"), "Decrypt", algorithm)
        context = _context(parameters, "EncryptionContext", algorithm)
        plaintext = await self._decrypted(key, algorithm, ciphertext, context)
        stop_dry_run(parameters)
        return {
            "KeyId": arn_of(key),
            "Plaintext": plaintext,
            "EncryptionAlgorithm": algorithm,
            **_material_of("KeyMaterialId", key, algorithm, ciphertext),
        }

    async def re_encrypt(self, caller: Caller, parameters: Parameters) -> Parameters:
        refuse_recipients(parameters)
        opens = parameters.get("SourceEncryptionAlgorithm", SYMMETRIC)
        closes = parameters.get("DestinationEncryptionAlgorithm", SYMMETRIC)
        ciphertext = bytes(parameters.get("CiphertextBlob", b""))
        source = self._decrypting(caller, ciphertext, parameters.get("SourceKeyId"), "ReEncryptFrom", opens)
        destination = await self._encrypting(caller, parameters["DestinationKeyId"], "ReEncryptTo", closes)
        source_context = _context(parameters, "SourceEncryptionContext", opens)
        destination_context = _context(parameters, "DestinationEncryptionContext", closes)
        plaintext = await self._decrypted(source, opens, ciphertext, source_context)
        stop_dry_run(parameters)
        made = await self._encrypted(destination, closes, plaintext, destination_context)
        return {
            "CiphertextBlob": made,
            "SourceKeyId": arn_of(source),
            "KeyId": arn_of(destination),
            "SourceEncryptionAlgorithm": opens,
            "DestinationEncryptionAlgorithm": closes,
            **_material_of("SourceKeyMaterialId", source, opens, ciphertext),
            **_material_of("DestinationKeyMaterialId", destination, closes, made),
        }

    async def _encrypting(self, caller: Caller, name: str, operation: str, algorithm: str) -> Key:
        key = key_to_use(self._ring, caller, name, ENCRYPTION, operation, algorithm)
        return await self._rotations.rotate_if_due(key)

    def _decrypting(
        self, caller: Caller, ciphertext: bytes, named: str | None, operation: str, algorithm: str
    ) -> Key:
        """A symmetric key is known by what it has encrypted; IncorrectKeyException where another is named."""
        if algorithm != SYMMETRIC:
            if named is None:
                raise ValidationException("KeyId is required to decrypt with an asymmetric key.")
            return key_to_use(self._ring, caller, named, ENCRYPTION, operation, algorithm)
        key = self._ring.key(header_of(ciphertext).key_id)
        if named is not None and find_key(self._ring, caller, named) != key:
            raise IncorrectKeyException
        if key is None or key.region != caller.region:
            raise InvalidCiphertextException
        return require_use(require_usable(key), ENCRYPTION, operation, algorithm)

    async def _encrypted(
        self, key: Key, algorithm: str, plaintext: bytes, context: EncryptionContext
    ) -> bytes:
        if algorithm == SYMMETRIC:
            return self._material.encrypt(key, plaintext, context)
        private = self._material.current(key)
        return await asyncio.to_thread(key_pairs.encrypt, private, key.spec, algorithm, plaintext)

    async def _decrypted(
        self, key: Key, algorithm: str, ciphertext: bytes, context: EncryptionContext
    ) -> bytes:
        if algorithm == SYMMETRIC:
            return self._material.decrypt(key, ciphertext, context)
        private = self._material.current(key)
        return await asyncio.to_thread(key_pairs.decrypt, private, algorithm, ciphertext)


def _context(parameters: Parameters, member: str, algorithm: str) -> EncryptionContext:
    """Raises ValidationException: nothing would be bound to it under an asymmetric key."""
    context: EncryptionContext = parameters.get(member, {})
    if context and algorithm != SYMMETRIC:
        raise ValidationException(f"{member} is not valid with {algorithm}.")
    return context


def _material_of(member: str, key: Key, algorithm: str, ciphertext: bytes) -> Parameters:
    return {member: material_id(key, header_of(ciphertext).material)} if algorithm == SYMMETRIC else {}
