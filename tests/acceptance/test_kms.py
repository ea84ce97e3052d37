"""Keys as a user of boto3 has them, over a restart too."""

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
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


def test_a_key_signs_what_everybody_can_verify(lambent: Lambent) -> None:
    kms = lambent.client("kms")
    key_id = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signed = kms.sign(KeyId=key_id, Message=b"words", SigningAlgorithm="ECDSA_SHA_256")
    public = load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signed["Signature"], b"words", ec.ECDSA(SHA256()))
    with pytest.raises(kms.exceptions.KMSInvalidSignatureException) as refused:
        kms.verify(
            KeyId=key_id, Message=b"other", Signature=signed["Signature"], SigningAlgorithm="ECDSA_SHA_256"
        )
    assert refused.value.response["Error"] == {"Code": "KMSInvalidSignatureException", "Message": ""}
    assert "message" not in refused.value.response
