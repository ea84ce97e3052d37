"""Kinds of keys: what each can be used for, and by which algorithms.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from collections.abc import Mapping

from lambent.base.arn import partition_of
from lambent.model.kms import Key
from lambent.services.kms.errors import InvalidKeyUsageException, ValidationException

SYMMETRIC = "SYMMETRIC_DEFAULT"
"""The name of the kind, and of its algorithm."""
ENCRYPTION, SIGNING, MAC, AGREEMENT = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"

_HASHES = ("SHA_256", "SHA_384", "SHA_512")
_RSA: Mapping[str, tuple[str, ...]] = {
    ENCRYPTION: ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    SIGNING: tuple(f"{scheme}_{hash}" for scheme in ("RSASSA_PKCS1_V1_5", "RSASSA_PSS") for hash in _HASHES),
}


def _elliptic(signing: str) -> Mapping[str, tuple[str, ...]]:
    return {SIGNING: (signing,), AGREEMENT: ("ECDH",)}


_SPECS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    SYMMETRIC: {ENCRYPTION: (SYMMETRIC,)},
    "RSA_2048": _RSA,
    "RSA_3072": _RSA,
    "RSA_4096": _RSA,
    "ECC_NIST_P256": _elliptic("ECDSA_SHA_256"),
    "ECC_NIST_P384": _elliptic("ECDSA_SHA_384"),
    "ECC_NIST_P521": _elliptic("ECDSA_SHA_512"),
    "ECC_SECG_P256K1": {SIGNING: ("ECDSA_SHA_256",)},
    "HMAC_224": {MAC: ("HMAC_SHA_224",)},
    "HMAC_256": {MAC: ("HMAC_SHA_256",)},
    "HMAC_384": {MAC: ("HMAC_SHA_384",)},
    "HMAC_512": {MAC: ("HMAC_SHA_512",)},
}
"""The algorithms by usage, by spec."""
MAC_BYTES: Mapping[str, int] = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
_MEMBERS: Mapping[str, str] = {
    ENCRYPTION: "EncryptionAlgorithms",
    SIGNING: "SigningAlgorithms",
    MAC: "MacAlgorithms",
    AGREEMENT: "KeyAgreementAlgorithms",
}


def is_offered(spec: str) -> bool:
    return spec in _SPECS


def is_asymmetric(spec: str) -> bool:
    return spec != SYMMETRIC and spec not in MAC_BYTES


def usage_of_new(spec: str, usage: str | None) -> str:
    """What a new key is for. Raises ValidationException."""
    if usage is None:
        if spec != SYMMETRIC:
            raise ValidationException(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
            )
        return ENCRYPTION
    if usage not in _SPECS[spec]:
        raise ValidationException(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    return usage


def described_algorithms(key: Key) -> dict[str, list[str]]:
    """The member of KeyMetadata and of GetPublicKey that lists what can be done with a key."""
    return {_MEMBERS[key.usage]: list(_SPECS[key.spec][key.usage])}


def require_use(key: Key, usage: str, operation: str, algorithm: str | None = None) -> Key:
    """Raises InvalidKeyUsageException."""
    if key.usage != usage:
        raise InvalidKeyUsageException(
            f"{key.arn(partition_of(key.region))} key usage is {key.usage} which is not valid for {operation}."
        )
    if algorithm is not None and algorithm not in _SPECS[key.spec][usage]:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")
    return key
