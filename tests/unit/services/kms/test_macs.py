import hmac
from typing import Any

import pytest

from lambent.services.kms.errors import InvalidKeyUsageException, KMSInvalidMacException, ValidationException


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
async def test_a_code_is_verified_by_its_key_alone(aws: Any, bits: int) -> None:
    one, two = [await aws.key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC") for _ in range(2)]
    asked = {"Message": b"words", "MacAlgorithm": f"HMAC_SHA_{bits}"}
    made = await aws.call("GenerateMac", KeyId=one, **asked)
    assert len(made["Mac"]) == bits // 8
    assert (await aws.call("VerifyMac", KeyId=one, Mac=made["Mac"], **asked))["MacValid"] is True
    for wrong in ({"KeyId": two}, {"KeyId": one, "Message": b"others"}, {"KeyId": one, "Mac": b"x"}):
        with pytest.raises(KMSInvalidMacException):
            await aws.call("VerifyMac", **{**asked, "Mac": made["Mac"], **wrong})


async def test_it_is_the_hmac_of_the_imported_key(aws: Any, import_material: Any) -> None:
    id = await aws.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")
    await import_material(id, b"k" * 32)
    made = await aws.call("GenerateMac", KeyId=id, Message=b"words", MacAlgorithm="HMAC_SHA_256")
    assert made["Mac"] == hmac.digest(b"k" * 32, b"words", "sha256")


async def test_the_kind_of_a_key_says_what_it_is_for(aws: Any) -> None:
    with pytest.raises(ValidationException, match="You must specify a KeyUsage value"):
        await aws.key(KeySpec="HMAC_256")
    with pytest.raises(
        ValidationException, match="KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec HMAC_224"
    ):
        await aws.key(KeySpec="HMAC_224", KeyUsage="ENCRYPT_DECRYPT")
    id = await aws.key(KeySpec="HMAC_224", KeyUsage="GENERATE_VERIFY_MAC")
    with pytest.raises(InvalidKeyUsageException, match="HMAC_SHA_256 is incompatible with key spec HMAC_224"):
        await aws.call("GenerateMac", KeyId=id, Message=b"x", MacAlgorithm="HMAC_SHA_256")
