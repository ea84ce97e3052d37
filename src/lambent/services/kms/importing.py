"""Material from elsewhere: GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial.

The import token holds the private half of the wrapping key, sealed: nothing is kept of an import that is never made.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.model.service import Operation
from lambent.services.kms import key_pairs
from lambent.services.kms.errors import (
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    UnsupportedOperationException,
    ValidationException,
)
from lambent.services.kms.key_material import KeyMaterial, material_id
from lambent.services.kms.key_reference import find_key, require_present
from lambent.services.kms.key_ring import KeyRing, without_material
from lambent.services.kms.key_specs import is_offered
from lambent.services.kms.key_use import arn_of
from lambent.services.kms.new_material import read_material

_DAY = 86_400.0
_LONGEST = 365 * _DAY
_WRAPS = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
_KEY_WRAP, _OAEP = "RSA_AES_KEY_WRAP", "RSAES_OAEP"
_EXPIRES, _STAYS = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"


class Imports:
    def __init__(self, ring: KeyRing, material: KeyMaterial, clock: Clock) -> None:
        self._ring = ring
        self._material = material
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetParametersForImport": self.get_parameters,
            "ImportKeyMaterial": self.import_material,
            "DeleteImportedKeyMaterial": self.delete_material,
        }

    async def get_parameters(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._external(caller, parameters)
        algorithm, spec = parameters["WrappingAlgorithm"], parameters["WrappingKeySpec"]
        if algorithm not in _WRAPS or not is_offered(spec):
            raise UnsupportedOperationException(
                f"Lambent does not offer {algorithm} with {spec} for the import of key material."
            )
        private = await asyncio.to_thread(key_pairs.make_pair, spec)
        until = self._clock.now() + _DAY
        said = {"algorithm": algorithm, "private": b64encode(private).decode(), "until": until}
        token = self._material.seal(_token_of(key), json.dumps(said).encode())
        return {
            "KeyId": arn_of(key),
            "ImportToken": token,
            "PublicKey": key_pairs.public_half(private),
            "ParametersValidTo": until,
        }

    async def import_material(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._external(caller, parameters)
        expires_at = self._expiry(parameters)
        said = self._open(key, bytes(parameters["ImportToken"]))
        material = await asyncio.to_thread(
            lambda: read_material(key.spec, _unwrapped(said, bytes(parameters["EncryptedKeyMaterial"])))
        )
        fingerprint = self._material.fingerprint(key.id, material)
        async with self._ring.lock(key.id):
            current = require_present(self._ring.key(key.id) or key)
            if parameters.get("ImportType") == "NEW_KEY_MATERIAL" and current.imported is not None:
                raise UnsupportedOperationException("Lambent's keys have one imported material each.")
            if current.imported not in (None, fingerprint):
                raise IncorrectKeyMaterialException
            wrapped = self._material.wrap(key.id, material)
            changed = replace(current, materials=(wrapped,), imported=fingerprint, expires_at=expires_at)
            await self._ring.put(changed)
        return {"KeyId": arn_of(key), "KeyMaterialId": material_id(changed)}

    async def delete_material(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = self._external(caller, parameters)
        async with self._ring.lock(key.id):
            current = self._ring.key(key.id) or key
            if current.materials:
                await self._ring.put(without_material(current))
        return {"KeyId": arn_of(key), "KeyMaterialId": material_id(key, 0)}

    def _external(self, caller: Caller, parameters: Parameters) -> Key:
        key = find_key(self._ring, caller, parameters["KeyId"])
        if key.origin != "EXTERNAL":
            raise UnsupportedOperationException(
                f"{arn_of(key)} origin is {key.origin} which is not valid for this operation."
            )
        return require_present(key)

    def _expiry(self, parameters: Parameters) -> float | None:
        """When the material goes. Raises ValidationException."""
        valid_to = parameters.get("ValidTo")
        if parameters.get("ExpirationModel", _EXPIRES) == _STAYS:
            if valid_to is not None:
                raise ValidationException(
                    f"A validTo date must not be set if the ExpirationModel is {_STAYS}"
                )
            return None
        if valid_to is None:
            raise ValidationException(f"A validTo date must be set if the ExpirationModel is {_EXPIRES}")
        if not 0 < valid_to - self._clock.now() <= _LONGEST:
            raise ValidationException("The validTo date must be in the future, and at most 365 days from now")
        return float(valid_to)

    def _open(self, key: Key, token: bytes) -> Mapping[str, Any]:
        try:
            said: Mapping[str, Any] = json.loads(self._material.unseal(_token_of(key), token))
        except (InvalidTag, ValueError):
            raise InvalidImportTokenException from None
        if said["until"] <= self._clock.now():
            raise ExpiredImportTokenException
        return said


def _token_of(key: Key) -> str:
    """What tokens are sealed for: one is nothing to another key, and no material."""
    return f"import of {key.id}"


def _unwrapped(said: Mapping[str, Any], encrypted: bytes) -> bytes:
    """Raises InvalidCiphertextException."""
    algorithm, private = said["algorithm"], b64decode(said["private"])
    if not algorithm.startswith(_KEY_WRAP):
        return key_pairs.decrypt(private, algorithm, encrypted)
    block = key_pairs.block_bytes(private)
    wrapping = key_pairs.decrypt(private, algorithm.replace(_KEY_WRAP, _OAEP), encrypted[:block])
    try:
        return aes_key_unwrap_with_padding(wrapping, encrypted[block:])
    except (InvalidUnwrap, ValueError):
        raise InvalidCiphertextException from None
