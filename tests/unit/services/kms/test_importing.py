"""Material from elsewhere, wrapped as AWS's documentation has it."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lambent.services.kms.errors import (
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInvalidStateException,
    UnsupportedOperationException,
    ValidationException,
)

_DAY = 86_400


async def _state(aws: Any, id: str) -> str:
    return str((await aws.call("DescribeKey", KeyId=id))["KeyMetadata"]["KeyState"])


@pytest.mark.parametrize(
    "algorithm",
    ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"],
)
async def test_a_key_waits_for_its_material(aws: Any, import_material: Any, algorithm: str) -> None:
    id = await aws.key(Origin="EXTERNAL")
    assert await _state(aws, id) == "PendingImport"
    with pytest.raises(KMSInvalidStateException, match="is pending import"):
        await aws.call("Encrypt", KeyId=id, Plaintext=b"x")
    await import_material(id, b"m" * 32, algorithm=algorithm)
    assert await _state(aws, id) == "Enabled"
    ciphertext = (await aws.call("Encrypt", KeyId=id, Plaintext=b"x"))["CiphertextBlob"]
    assert (await aws.call("Decrypt", CiphertextBlob=ciphertext))["Plaintext"] == b"x"


async def test_deleted_material_comes_back_by_the_same_being_imported(aws: Any, import_material: Any) -> None:
    id = await aws.key(Origin="EXTERNAL")
    await import_material(id, b"m" * 32)
    ciphertext = (await aws.call("Encrypt", KeyId=id, Plaintext=b"x"))["CiphertextBlob"]
    await aws.call("DeleteImportedKeyMaterial", KeyId=id)
    assert await _state(aws, id) == "PendingImport"
    with pytest.raises(KMSInvalidStateException):
        await aws.call("Decrypt", CiphertextBlob=ciphertext)
    with pytest.raises(IncorrectKeyMaterialException):
        await import_material(id, b"n" * 32)
    await aws.restart()
    await import_material(id, b"m" * 32)
    assert (await aws.call("Decrypt", CiphertextBlob=ciphertext))["Plaintext"] == b"x"


async def test_material_goes_when_it_expires(aws: Any, import_material: Any) -> None:
    id = await aws.key(Origin="EXTERNAL")
    expires = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": aws.clock.now() + 10 * _DAY}
    await import_material(id, b"m" * 32, **expires)
    described = (await aws.call("DescribeKey", KeyId=id))["KeyMetadata"]
    assert (described["ExpirationModel"], described["ValidTo"]) == tuple(expires.values())
    aws.clock.advance(10 * _DAY)
    assert await _state(aws, id) == "PendingImport"
    await aws.made.ring.destroy_due()
    (stored,) = aws.stores.keys.values.values()
    assert stored.materials == ()


async def test_a_private_key_is_imported(aws: Any, import_material: Any) -> None:
    id = await aws.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")
    private = ec.generate_private_key(ec.SECP256R1())
    document = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    other = ec.generate_private_key(ec.SECP384R1())
    wrong = other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for material in (wrong, b"m" * 32):
        with pytest.raises(IncorrectKeyMaterialException):
            await import_material(id, material, algorithm="RSA_AES_KEY_WRAP_SHA_256")
    await import_material(id, document, algorithm="RSA_AES_KEY_WRAP_SHA_256")
    asked = {"KeyId": id, "Message": b"words", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = (await aws.call("Sign", **asked))["Signature"]
    assert (await aws.call("Verify", Signature=signature, **asked))["SignatureValid"]


async def test_what_is_refused(aws: Any, import_material: Any) -> None:
    own, id, other = await aws.key(), await aws.key(Origin="EXTERNAL"), await aws.key(Origin="EXTERNAL")
    wrapping = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    with pytest.raises(UnsupportedOperationException, match="origin is AWS_KMS which is not valid"):
        await aws.call("GetParametersForImport", KeyId=own, **wrapping)
    asked = await aws.call("GetParametersForImport", KeyId=id, **wrapping)
    given = {"ImportToken": asked["ImportToken"], "EncryptedKeyMaterial": b"x" * 256}
    stays = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    with pytest.raises(ValidationException, match="A validTo date must be set"):
        await aws.call("ImportKeyMaterial", KeyId=id, **given)
    for when in (aws.clock.now(), aws.clock.now() + 366 * _DAY):
        with pytest.raises(ValidationException):
            await aws.call("ImportKeyMaterial", KeyId=id, ValidTo=when, **given)
    with pytest.raises(InvalidCiphertextException):
        await aws.call("ImportKeyMaterial", KeyId=id, **given, **stays)
    with pytest.raises(InvalidImportTokenException):
        await aws.call("ImportKeyMaterial", KeyId=other, **given, **stays)
    with pytest.raises(IncorrectKeyMaterialException):
        await import_material(id, b"m" * 31)
    aws.clock.advance(_DAY)
    with pytest.raises(ExpiredImportTokenException):
        await aws.call("ImportKeyMaterial", KeyId=id, **given, **stays)
    assert await _state(aws, id) == "PendingImport"
