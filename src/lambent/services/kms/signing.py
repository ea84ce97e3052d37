"""Asymmetric keys: Sign, Verify, GetPublicKey, DeriveSharedSecret."""

import asyncio
from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.kms import key_pairs
from lambent.services.kms.errors import (
    KMSInvalidSignatureException,
    UnsupportedOperationException,
    ValidationException,
)
from lambent.services.kms.key_material import KeyMaterial
from lambent.services.kms.key_reference import find_key, require_usable
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import AGREEMENT, SIGNING, described_algorithms, is_asymmetric
from lambent.services.kms.key_use import arn_of, key_to_use, refuse_recipients, stop_dry_run

_MESSAGE_TYPES = ("RAW", "DIGEST")


class Signing:
    def __init__(self, ring: KeyRing, material: KeyMaterial) -> None:
        self._ring = ring
        self._material = material

    def operations(self) -> Mapping[str, Operation]:
        return {
            "Sign": self.sign,
            "Verify": self.verify,
            "GetPublicKey": self.get_public_key,
            "DeriveSharedSecret": self.derive_shared_secret,
        }

    async def sign(self, caller: Caller, parameters: Parameters) -> Parameters:
        algorithm = parameters["SigningAlgorithm"]
        key = key_to_use(self._ring, caller, parameters["KeyId"], SIGNING, "Sign", algorithm)
        digest = _digest(parameters)
        stop_dry_run(parameters)
        signature = await asyncio.to_thread(key_pairs.sign, self._material.current(key), algorithm, digest)
        return {"KeyId": arn_of(key), "Signature": signature, "SigningAlgorithm": algorithm}

    async def verify(self, caller: Caller, parameters: Parameters) -> Parameters:
        """A signature that does not fit is an error, as at AWS."""
        algorithm, signature = parameters["SigningAlgorithm"], bytes(parameters["Signature"])
        key = key_to_use(self._ring, caller, parameters["KeyId"], SIGNING, "Verify", algorithm)
        digest, private = _digest(parameters), self._material.current(key)
        if not await asyncio.to_thread(key_pairs.is_signed, private, algorithm, digest, signature):
            raise KMSInvalidSignatureException
        stop_dry_run(parameters)
        return {"KeyId": arn_of(key), "SignatureValid": True, "SigningAlgorithm": algorithm}

    async def get_public_key(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = require_usable(find_key(self._ring, caller, parameters["KeyId"]))
        if not is_asymmetric(key.spec):
            raise UnsupportedOperationException(
                f"{arn_of(key)} key spec is {key.spec} which is not valid for this operation."
            )
        return {
            "KeyId": arn_of(key),
            "PublicKey": key_pairs.public_half(self._material.current(key)),
            "CustomerMasterKeySpec": key.spec,
            "KeySpec": key.spec,
            "KeyUsage": key.usage,
            **described_algorithms(key),
        }

    async def derive_shared_secret(self, caller: Caller, parameters: Parameters) -> Parameters:
        refuse_recipients(parameters)
        algorithm = parameters["KeyAgreementAlgorithm"]
        key = key_to_use(self._ring, caller, parameters["KeyId"], AGREEMENT, "DeriveSharedSecret", algorithm)
        secret = key_pairs.agree(self._material.current(key), bytes(parameters["PublicKey"]))
        stop_dry_run(parameters)
        return {
            "KeyId": arn_of(key),
            "SharedSecret": secret,
            "KeyAgreementAlgorithm": algorithm,
            "KeyOrigin": key.origin,
        }


def _digest(parameters: Parameters) -> bytes:
    kind = parameters.get("MessageType", "RAW")
    if kind not in _MESSAGE_TYPES:
        raise ValidationException(f"MessageType {kind} is not valid for {parameters['SigningAlgorithm']}.")
    message = bytes(parameters["Message"])
    return key_pairs.digest_of(parameters["SigningAlgorithm"], message, is_digest=kind == "DIGEST")
