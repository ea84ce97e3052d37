"""Keys as a user of boto3 has them, over a restart too."""

import json
from collections.abc import Callable

import pytest
from lambent_server import Lambent


def test_a_key_encrypts_and_decrypts_under_its_alias(lambent: Lambent) -> None:
    kms = lambent.client("kms")
    key_id = kms.create_key(Description="d")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/acceptance", TargetKeyId=key_id)
    made = kms.generate_data_key(KeyId="alias/acceptance", KeySpec="AES_256", EncryptionContext={"a": "b"})
    decrypted = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert decrypted["Plaintext"] == made["Plaintext"]
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
    kms.disable_key(KeyId=key_id)
    with pytest.raises(kms.exceptions.DisabledException):
        kms.encrypt(KeyId=key_id, Plaintext=b"x")
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/none")


def test_a_key_policy_decides_alone(lambent: Lambent) -> None:
    kms = lambent.client("kms")
    role = lambent.make_role("uses-no-key")
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    key_id = kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["KeyId"]
    with pytest.raises(kms.exceptions.ClientError, match="AccessDeniedException"):
        kms.encrypt(KeyId=key_id, Plaintext=b"x")


def test_keys_outlive_the_server(new_server: Callable[..., Lambent]) -> None:
    lambent = new_server()
    kms = lambent.client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    ciphertext = kms.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]
    lambent.kill()
    lambent.start_again()
    assert lambent.client("kms").decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"
