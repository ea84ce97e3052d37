"""Private keys of asymmetric keys: made, kept as PKCS #8, and used. RSA is slow: a thread is to do it."""

from collections.abc import Mapping
from hashlib import new as new_hash

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from lambent.services.kms.errors import (
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    ValidationException,
)

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey

_RSA_BITS: Mapping[str, int] = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_CURVES: Mapping[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA_1": hashes.SHA1(),  # noqa: S303 - it is what the algorithm is, and OAEP asks no more of it
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}


def make_pair(spec: str) -> bytes:
    """A new private key."""
    key: PrivateKey
    if spec in _RSA_BITS:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS[spec])
    else:
        key = ec.generate_private_key(_CURVES[spec])
    return _written(key)


def read_pair(spec: str, document: bytes) -> bytes:
    """A private key from elsewhere, as it is kept. Raises IncorrectKeyMaterialException: it is none of this kind."""
    try:
        key = load_der_private_key(document, password=None)
    except Exception as error:  # whatever the bytes are taken for
        raise IncorrectKeyMaterialException from error
    if isinstance(key, RSAPrivateKey) and key.key_size == _RSA_BITS.get(spec):
        return _written(key)
    if isinstance(key, EllipticCurvePrivateKey) and spec in _CURVES and key.curve.name == _CURVES[spec].name:
        return _written(key)
    raise IncorrectKeyMaterialException


def public_half(private: bytes) -> bytes:
    """As X.509's SubjectPublicKeyInfo (DER)."""
    return _read(private).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(private: bytes, algorithm: str, digest: bytes) -> bytes:
    key, hash = _read(private), _hash_of(algorithm)
    if isinstance(key, RSAPrivateKey):
        return key.sign(digest, _signature_padding(algorithm, hash), utils.Prehashed(hash))
    return key.sign(digest, ec.ECDSA(utils.Prehashed(hash)))


def is_signed(private: bytes, algorithm: str, digest: bytes, signature: bytes) -> bool:
    key, hash = _read(private), _hash_of(algorithm)
    try:
        if isinstance(key, RSAPrivateKey):
            key.public_key().verify(
                signature, digest, _signature_padding(algorithm, hash), utils.Prehashed(hash)
            )
        else:
            key.public_key().verify(signature, digest, ec.ECDSA(utils.Prehashed(hash)))
    except InvalidSignature:
        return False
    return True


def digest_of(algorithm: str, message: bytes, *, is_digest: bool) -> bytes:
    """What is signed. Raises ValidationException for a digest of another length."""
    hash = _hash_of(algorithm)
    if not is_digest:
        return new_hash(hash.name, message).digest()
    if len(message) != hash.digest_size:
        raise ValidationException(f"Digest is invalid length for algorithm {algorithm}.")
    return message


def encrypt(private: bytes, spec: str, algorithm: str, plaintext: bytes) -> bytes:
    """Raises ValidationException for more than one block."""
    hash = _hash_of(algorithm)
    most = _RSA_BITS[spec] // 8 - 2 * hash.digest_size - 2
    if len(plaintext) > most:
        raise ValidationException(
            f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes."
        )
    return _rsa(private).public_key().encrypt(plaintext, _oaep(hash))


def decrypt(private: bytes, algorithm: str, ciphertext: bytes) -> bytes:
    """Raises InvalidCiphertextException."""
    try:
        return _rsa(private).decrypt(ciphertext, _oaep(_hash_of(algorithm)))
    except ValueError:
        raise InvalidCiphertextException from None


def block_bytes(private: bytes) -> int:
    """How long what an RSA key has encrypted is."""
    return _rsa(private).key_size // 8


def agree(private: bytes, public: bytes) -> bytes:
    """The secret that is shared with whoever has the other private key: the x coordinate. Raises ValidationException
    for a public key of another curve."""
    key = _read(private)
    assert isinstance(key, EllipticCurvePrivateKey)
    try:
        theirs = load_der_public_key(public)
        if isinstance(theirs, EllipticCurvePublicKey) and theirs.curve.name == key.curve.name:
            return key.exchange(ec.ECDH(), theirs)
    except Exception as error:  # whatever the bytes are taken for
        raise ValidationException("The public key is invalid.") from error
    raise ValidationException("The public key is not of the curve of the KMS key.")


def _read(private: bytes) -> PrivateKey:
    key = load_der_private_key(private, password=None, unsafe_skip_rsa_key_validation=True)  # we wrote it
    assert isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey)
    return key


def _rsa(private: bytes) -> RSAPrivateKey:
    key = _read(private)
    assert isinstance(key, RSAPrivateKey)
    return key


def _written(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _hash_of(algorithm: str) -> hashes.HashAlgorithm:
    return next(hash for name, hash in _HASHES.items() if algorithm.endswith(name))


def _signature_padding(algorithm: str, hash: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if algorithm.startswith("RSASSA_PSS"):
        return padding.PSS(mgf=padding.MGF1(hash), salt_length=padding.PSS.DIGEST_LENGTH)
    return padding.PKCS1v15()


def _oaep(hash: hashes.HashAlgorithm) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(hash), algorithm=hash, label=None)
