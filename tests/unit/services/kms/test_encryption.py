from typing import Any

import pytest

from lambent.services.kms.errors import (
    DryRunOperationException,
    IncorrectKeyException,
    InvalidCiphertextException,
    ValidationException,
)


async def test_what_is_encrypted_is_decrypted_and_names_its_key(aws: Any) -> None:
    id = await aws.key()
    context = {"a": "1", "b": "2"}
    encrypted = await aws.call("Encrypt", KeyId=id, Plaintext=b"secret", EncryptionContext=context)
    assert b"secret" not in encrypted["CiphertextBlob"]
    decrypted = await aws.call(
        "Decrypt", CiphertextBlob=encrypted["CiphertextBlob"], EncryptionContext={"b": "2", "a": "1"}
    )
    assert decrypted["Plaintext"] == b"secret"
    assert decrypted["KeyId"] == encrypted["KeyId"] == f"arn:aws:kms:us-east-1:123456789012:key/{id}"


async def test_what_was_changed_or_is_of_another_context_is_not_decrypted(aws: Any) -> None:
    id = await aws.key()
    ciphertext = (await aws.call("Encrypt", KeyId=id, Plaintext=b"x", EncryptionContext={"a": "1"}))[
        "CiphertextBlob"
    ]
    for changed in (ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), ciphertext[:20], b"", b"x" * 200):
        with pytest.raises(InvalidCiphertextException):
            await aws.call("Decrypt", CiphertextBlob=changed, EncryptionContext={"a": "1"})
    for context in ({}, {"a": "2"}, {"a": "1", "b": ""}):
        with pytest.raises(InvalidCiphertextException):
            await aws.call("Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)


async def test_another_key_than_the_one_that_is_named(aws: Any) -> None:
    one, two = await aws.key(), await aws.key()
    ciphertext = (await aws.call("Encrypt", KeyId=one, Plaintext=b"x"))["CiphertextBlob"]
    with pytest.raises(IncorrectKeyException):
        await aws.call("Decrypt", CiphertextBlob=ciphertext, KeyId=two)
    moved = await aws.call("ReEncrypt", CiphertextBlob=ciphertext, DestinationKeyId=two)
    assert moved["SourceKeyId"].endswith(one) and moved["KeyId"].endswith(two)
    assert (await aws.call("Decrypt", CiphertextBlob=moved["CiphertextBlob"], KeyId=two))["Plaintext"] == b"x"


async def test_data_keys(aws: Any) -> None:
    id = await aws.key()
    for wanted, size in (
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 7}, 7),
    ):
        made = await aws.call("GenerateDataKey", KeyId=id, **wanted)
        assert len(made["Plaintext"]) == size
        assert (await aws.call("Decrypt", CiphertextBlob=made["CiphertextBlob"]))["Plaintext"] == made[
            "Plaintext"
        ]
    assert "Plaintext" not in await aws.call("GenerateDataKeyWithoutPlaintext", KeyId=id, KeySpec="AES_256")
    assert len((await aws.call("GenerateRandom", NumberOfBytes=9))["Plaintext"]) == 9
    for wrong in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 1}):
        with pytest.raises(ValidationException):
            await aws.call("GenerateDataKey", KeyId=id, **wrong)


async def test_a_dry_run_says_that_it_would_have_succeeded(aws: Any) -> None:
    id = await aws.key()
    with pytest.raises(DryRunOperationException):
        await aws.call("Encrypt", KeyId=id, Plaintext=b"x", DryRun=True)


async def test_old_material_goes_on_decrypting(aws: Any) -> None:
    id = await aws.key()
    old = await aws.call("Encrypt", KeyId=id, Plaintext=b"old")
    await aws.call("EnableKeyRotation", KeyId=id, RotationPeriodInDays=90)
    status = await aws.call("GetKeyRotationStatus", KeyId=id)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    aws.clock.advance(91 * 86_400)
    new = await aws.call("Encrypt", KeyId=id, Plaintext=b"new")
    await aws.call("RotateKeyOnDemand", KeyId=id)
    rotations = (await aws.call("ListKeyRotations", KeyId=id))["Rotations"]
    assert [rotation["RotationType"] for rotation in rotations] == ["AUTOMATIC", "ON_DEMAND"]
    used = set()
    for encrypted, plaintext in (
        (old, b"old"),
        (new, b"new"),
        (await aws.call("Encrypt", KeyId=id, Plaintext=b"3"), b"3"),
    ):
        decrypted = await aws.call("Decrypt", CiphertextBlob=encrypted["CiphertextBlob"])
        assert decrypted["Plaintext"] == plaintext
        used.add(decrypted["KeyMaterialId"])
    assert len(used) == 3
    await aws.call("DisableKeyRotation", KeyId=id)
    assert not (await aws.call("GetKeyRotationStatus", KeyId=id))["KeyRotationEnabled"]


async def test_no_key_is_in_the_stores_in_the_clear(aws: Any) -> None:
    id = await aws.key()
    ((_, key),) = aws.stores.keys.values.items()
    assert key.id == id and all(len(material) > 60 for material in key.materials)
    from lambent.services.kms.key_material import KeyMaterial

    ciphertext = (await aws.call("Encrypt", KeyId=id, Plaintext=b"x"))["CiphertextBlob"]
    with pytest.raises(InvalidCiphertextException):
        KeyMaterial(b"another secret").decrypt(key, ciphertext, {})
