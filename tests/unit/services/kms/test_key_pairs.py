"""Asymmetric keys: what they make is what everybody else's library takes."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from lambent.services.kms.errors import (
    InvalidCiphertextException,
    InvalidKeyUsageException,
    KMSInvalidSignatureException,
    UnsupportedOperationException,
    ValidationException,
)


async def _key(aws: Any, spec: str, usage: str) -> str:
    return str(await aws.key(KeySpec=spec, KeyUsage=usage))


async def _public(aws: Any, id: str) -> Any:
    return load_der_public_key((await aws.call("GetPublicKey", KeyId=id))["PublicKey"])


@pytest.mark.parametrize(
    ("algorithm", "hash", "pads"),
    [
        ("RSASSA_PKCS1_V1_5_SHA_256", hashes.SHA256(), padding.PKCS1v15()),
        ("RSASSA_PSS_SHA_512", hashes.SHA512(), padding.PSS(padding.MGF1(hashes.SHA512()), 64)),
    ],
)
async def test_a_signature_by_rsa(
    aws: Any, algorithm: str, hash: hashes.HashAlgorithm, pads: padding.AsymmetricPadding
) -> None:
    id = await _key(aws, "RSA_2048", "SIGN_VERIFY")
    signed = await aws.call("Sign", KeyId=id, Message=b"words", SigningAlgorithm=algorithm)
    (await _public(aws, id)).verify(signed["Signature"], b"words", pads, hash)
    verified = await aws.call(
        "Verify", KeyId=id, Message=b"words", Signature=signed["Signature"], SigningAlgorithm=algorithm
    )
    assert verified == {
        "KeyId": f"arn:aws:kms:us-east-1:123456789012:key/{id}",
        "SignatureValid": True,
        "SigningAlgorithm": algorithm,
    }
    with pytest.raises(KMSInvalidSignatureException):
        await aws.call(
            "Verify", KeyId=id, Message=b"other", Signature=signed["Signature"], SigningAlgorithm=algorithm
        )


@pytest.mark.parametrize(
    ("spec", "algorithm", "hash"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256", hashes.SHA256()),
        ("ECC_NIST_P384", "ECDSA_SHA_384", hashes.SHA384()),
        ("ECC_NIST_P521", "ECDSA_SHA_512", hashes.SHA512()),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", hashes.SHA256()),
    ],
)
async def test_a_signature_of_a_digest_by_a_curve(
    aws: Any, spec: str, algorithm: str, hash: hashes.HashAlgorithm
) -> None:
    id = await _key(aws, spec, "SIGN_VERIFY")
    taken = hashes.Hash(hash)
    taken.update(b"words")
    digest = taken.finalize()
    asked = {"KeyId": id, "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
    signature = (await aws.call("Sign", Message=digest, **asked))["Signature"]
    (await _public(aws, id)).verify(signature, b"words", ec.ECDSA(hash))
    assert (await aws.call("Verify", Message=digest, Signature=signature, **asked))["SignatureValid"]
    with pytest.raises(ValidationException, match=f"Digest is invalid length for algorithm {algorithm}"):
        await aws.call("Sign", Message=digest[1:], **asked)
    with pytest.raises(KMSInvalidSignatureException):
        await aws.call("Verify", Message=digest, Signature=b"no signature", **asked)


async def test_what_is_encrypted_by_anybody_is_decrypted_by_the_key(aws: Any) -> None:
    id = await _key(aws, "RSA_2048", "ENCRYPT_DECRYPT")
    sha256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    asked = {"KeyId": id, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    outside = (await _public(aws, id)).encrypt(b"secret", sha256)
    assert (await aws.call("Decrypt", CiphertextBlob=outside, **asked))["Plaintext"] == b"secret"
    inside = (await aws.call("Encrypt", Plaintext=b"x" * 190, **asked))["CiphertextBlob"]
    decrypted = await aws.call("Decrypt", CiphertextBlob=inside, **asked)
    assert decrypted["Plaintext"] == b"x" * 190 and "KeyMaterialId" not in decrypted
    with pytest.raises(ValidationException, match="cannot encrypt data larger than 190 bytes"):
        await aws.call("Encrypt", Plaintext=b"x" * 191, **asked)
    with pytest.raises(InvalidCiphertextException):
        await aws.call("Decrypt", CiphertextBlob=inside[:-1] + b"?", **asked)
    with pytest.raises(ValidationException):  # which key should it be?
        await aws.call("Decrypt", CiphertextBlob=inside, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with pytest.raises(ValidationException):  # it would not be bound to it
        await aws.call("Encrypt", Plaintext=b"x", EncryptionContext={"a": "b"}, **asked)


async def test_data_moves_from_an_asymmetric_key_to_a_symmetric_one(aws: Any) -> None:
    rsa, aes = await _key(aws, "RSA_3072", "ENCRYPT_DECRYPT"), await aws.key()
    ciphertext = (
        await aws.call("Encrypt", KeyId=rsa, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")
    )["CiphertextBlob"]
    moved = await aws.call(
        "ReEncrypt",
        CiphertextBlob=ciphertext,
        SourceKeyId=rsa,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_1",
        DestinationKeyId=aes,
    )
    assert moved["SourceEncryptionAlgorithm"] == "RSAES_OAEP_SHA_1"
    assert "SourceKeyMaterialId" not in moved and moved["DestinationKeyMaterialId"]
    assert (await aws.call("Decrypt", CiphertextBlob=moved["CiphertextBlob"]))["Plaintext"] == b"x"


async def test_two_keys_agree_on_a_secret(aws: Any) -> None:
    one, two = [await _key(aws, "ECC_NIST_P384", "KEY_AGREEMENT") for _ in range(2)]
    secrets = []
    for mine, other in ((one, two), (two, one)):
        theirs = (await aws.call("GetPublicKey", KeyId=other))["PublicKey"]
        derived = await aws.call(
            "DeriveSharedSecret", KeyId=mine, KeyAgreementAlgorithm="ECDH", PublicKey=theirs
        )
        secrets.append(derived["SharedSecret"])
    assert secrets[0] == secrets[1] and len(secrets[0]) == 48
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    foreign = stranger.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for wrong in (foreign, b"no key"):
        with pytest.raises(ValidationException):
            await aws.call("DeriveSharedSecret", KeyId=one, KeyAgreementAlgorithm="ECDH", PublicKey=wrong)


async def test_a_key_does_what_it_is_for_and_nothing_else(aws: Any) -> None:
    signs = await _key(aws, "ECC_NIST_P256", "SIGN_VERIFY")
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{signs}"
    with pytest.raises(
        InvalidKeyUsageException, match="key usage is SIGN_VERIFY which is not valid for Encrypt"
    ):
        await aws.call("Encrypt", KeyId=signs, Plaintext=b"x")
    with pytest.raises(
        InvalidKeyUsageException, match="ECDSA_SHA_512 is incompatible with key spec ECC_NIST_P256"
    ):
        await aws.call("Sign", KeyId=signs, Message=b"x", SigningAlgorithm="ECDSA_SHA_512")
    with pytest.raises(UnsupportedOperationException, match=arn):
        await aws.call("EnableKeyRotation", KeyId=signs)
    symmetric = await aws.key()
    with pytest.raises(UnsupportedOperationException):
        await aws.call("GetPublicKey", KeyId=symmetric)
    encrypts = await _key(aws, "RSA_2048", "ENCRYPT_DECRYPT")
    with pytest.raises(InvalidKeyUsageException):
        await aws.call("GenerateDataKey", KeyId=encrypts, KeySpec="AES_256")


async def test_a_pair_for_use_elsewhere(aws: Any) -> None:
    id = await aws.key()
    context = {"a": "b"}
    made = await aws.call(
        "GenerateDataKeyPair", KeyId=id, KeyPairSpec="ECC_NIST_P256", EncryptionContext=context
    )
    opened = await aws.call(
        "Decrypt", CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=context
    )
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]
    with pytest.raises(InvalidCiphertextException):
        await aws.call("Decrypt", CiphertextBlob=made["PrivateKeyCiphertextBlob"])
    sealed = await aws.call("GenerateDataKeyPairWithoutPlaintext", KeyId=id, KeyPairSpec="RSA_2048")
    assert "PrivateKeyPlaintext" not in sealed and sealed["PublicKey"]


async def test_keys_outlive_the_server(aws: Any) -> None:
    id = await _key(aws, "ECC_NIST_P256", "SIGN_VERIFY")
    asked = {"KeyId": id, "Message": b"words", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = (await aws.call("Sign", **asked))["Signature"]
    await aws.restart()
    assert (await aws.call("Verify", Signature=signature, **asked))["SignatureValid"]
