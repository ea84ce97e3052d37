"""When access keys were used last, and signing certificates."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from lambent.services.iam import KeyUses
from lambent.services.iam.errors import (
    AccessDenied,
    DuplicateCertificate,
    LimitExceeded,
    MalformedCertificate,
    NoSuchEntity,
)


async def test_a_use_is_known_at_once_and_to_others_when_it_is_stored(
    iam, root, authorizer, key_uses, people, clock
) -> None:
    await iam("CreateUser", UserName="u")
    key = (await iam("CreateAccessKey", UserName="u"))["AccessKey"]["AccessKeyId"]
    unused = {"UserName": "u", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
    assert await iam("GetAccessKeyLastUsed", AccessKeyId=key) == unused
    caller = dataclasses.replace(
        root, principal_arn=f"arn:aws:iam::{root.account_id}:user/u", access_key_id=key, region="eu-west-1"
    )
    with pytest.raises(Exception, match="not authorized"):
        await authorizer.authorize(caller, "lambda:ListFunctions", "*")
    used = await iam("GetAccessKeyLastUsed", AccessKeyId=key)
    assert used["AccessKeyLastUsed"] == {
        "LastUsedDate": float(int(clock.now())),
        "ServiceName": "lambda",
        "Region": "eu-west-1",
    }
    elsewhere = KeyUses(people.key_uses, clock)
    assert await elsewhere.of(root.account_id, key) is None
    await key_uses.store()
    use = await elsewhere.of(root.account_id, key)
    assert use is not None
    clock.advance(10)
    elsewhere.note(caller, "sts:GetCallerIdentity")
    await elsewhere.store()
    key_uses.note(caller, "s3:GetObject")
    clock.advance(-5)
    key_uses.note(caller, "s3:GetObject")
    await key_uses.store()
    assert (await key_uses.of(root.account_id, key)).service == "sts"


async def test_whose_key_nobody_knows(iam, root) -> None:
    message = (
        "is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE"
    )
    with pytest.raises(AccessDenied, match=message):
        await iam("GetAccessKeyLastUsed", AccessKeyId="AKIAIOSFODNN7EXAMPLE")


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "u")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    return built.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


async def test_signing_certificates(iam) -> None:
    await iam("CreateUser", UserName="u")
    with pytest.raises(NoSuchEntity, match="The user with name nobody cannot be found"):
        await iam("UploadSigningCertificate", UserName="nobody", CertificateBody=certificate())
    with pytest.raises(MalformedCertificate, match="Certificate invalid is malformed"):
        await iam("UploadSigningCertificate", UserName="u", CertificateBody="invalid")
    body = certificate()
    made = (await iam("UploadSigningCertificate", UserName="u", CertificateBody=body))["Certificate"]
    assert made["Status"] == "Active"
    with pytest.raises(DuplicateCertificate):
        await iam("UploadSigningCertificate", UserName="u", CertificateBody=body)
    await iam("UploadSigningCertificate", UserName="u", CertificateBody=certificate())
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for CertificatesPerUser: 2"):
        await iam("UploadSigningCertificate", UserName="u", CertificateBody=certificate())
    named = {"UserName": "u", "CertificateId": made["CertificateId"]}
    await iam("UpdateSigningCertificate", **named, Status="Inactive")
    listed = (await iam("ListSigningCertificates", UserName="u"))["Certificates"]
    assert {one["CertificateId"]: one["Status"] for one in listed}[made["CertificateId"]] == "Inactive"
    await iam("DeleteSigningCertificate", **named)
    with pytest.raises(
        NoSuchEntity, match=f"The Certificate with id {made['CertificateId']} cannot be found."
    ):
        await iam("DeleteSigningCertificate", **named)
