import json
import re
from dataclasses import replace
from typing import Any

import pytest

from lambent.services.kms.errors import (
    AlreadyExistsException,
    DisabledException,
    InvalidAliasNameException,
    KMSInvalidStateException,
    NotFoundException,
    TagException,
    UnsupportedOperationException,
    ValidationException,
)

ARN = "arn:aws:kms:us-east-1:123456789012"


async def test_a_key_as_aws_describes_one(aws: Any) -> None:
    metadata = (await aws.call("CreateKey", Description="d", Tags=[{"TagKey": "a", "TagValue": "b"}]))[
        "KeyMetadata"
    ]
    id = metadata["KeyId"]
    assert re.fullmatch(r"[0-9a-f-]{36}", id)
    assert len(metadata.pop("CurrentKeyMaterialId")) == 64
    assert metadata == {
        "AWSAccountId": "123456789012",
        "KeyId": id,
        "Arn": f"{ARN}:key/{id}",
        "CreationDate": aws.clock.now(),
        "Enabled": True,
        "Description": "d",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert (await aws.call("ListResourceTags", KeyId=id))["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    policy = json.loads((await aws.call("GetKeyPolicy", KeyId=id))["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}


@pytest.mark.parametrize(
    "settings", [{"KeySpec": "ML_DSA_44"}, {"Origin": "AWS_CLOUDHSM"}, {"MultiRegion": True}]
)
async def test_other_kinds_of_keys_are_refused(aws: Any, settings: Any) -> None:
    with pytest.raises(UnsupportedOperationException):
        await aws.call("CreateKey", **settings)
    assert not aws.stores.keys.values


async def test_a_key_is_named_in_four_ways(aws: Any) -> None:
    id = await aws.key()
    await aws.call("CreateAlias", AliasName="alias/k", TargetKeyId=id)
    for name in (id, f"{ARN}:key/{id}", "alias/k", f"{ARN}:alias/k"):
        assert (await aws.call("DescribeKey", KeyId=name))["KeyMetadata"]["KeyId"] == id


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fake", "Invalid keyId 'fake'"),
        ("alias/none", f"Alias {ARN}:alias/none is not found."),
        (
            "0" * 8 + "-0000-0000-0000-" + "0" * 12,
            f"Key '{ARN}:key/00000000-0000-0000-0000-000000000000' does not exist",
        ),
        ("arn:aws:kms:eu-west-1:123456789012:key/x", "Invalid arn eu-west-1"),
    ],
)
async def test_a_key_that_is_not_there_is_named(aws: Any, name: str, message: str) -> None:
    with pytest.raises(NotFoundException) as raised:
        await aws.call("DescribeKey", KeyId=name)
    assert raised.value.message == message


async def test_states(aws: Any) -> None:
    id = await aws.key()
    await aws.call("DisableKey", KeyId=id)
    with pytest.raises(DisabledException, match=f"^{ARN}:key/{id} is disabled.$"):
        await aws.call("Encrypt", KeyId=id, Plaintext=b"x")
    await aws.call("EnableKey", KeyId=id)
    encrypted = await aws.call("Encrypt", KeyId=id, Plaintext=b"x")
    scheduled = await aws.call("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=7)
    assert (scheduled["KeyState"], scheduled["DeletionDate"]) == (
        "PendingDeletion",
        aws.clock.now() + 7 * 86_400,
    )
    for operation, parameters in (
        ("Decrypt", {"CiphertextBlob": encrypted["CiphertextBlob"]}),
        ("EnableKey", {"KeyId": id}),
        ("ScheduleKeyDeletion", {"KeyId": id}),
    ):
        with pytest.raises(KMSInvalidStateException, match="is pending deletion"):
            await aws.call(operation, **parameters)
    await aws.call("CancelKeyDeletion", KeyId=id)
    assert (await aws.call("DescribeKey", KeyId=id))["KeyMetadata"]["KeyState"] == "Disabled"
    with pytest.raises(KMSInvalidStateException):
        await aws.call("CancelKeyDeletion", KeyId=id)


async def test_a_key_whose_time_has_come_is_destroyed_with_its_names(aws: Any) -> None:
    id = await aws.key()
    await aws.call("CreateAlias", AliasName="alias/k", TargetKeyId=id)
    await aws.call(
        "CreateGrant", KeyId=id, GranteePrincipal="arn:aws:iam::123456789012:role/r", Operations=["Decrypt"]
    )
    with pytest.raises(ValidationException):
        await aws.call("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=6)
    await aws.call("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=7)
    aws.clock.advance(7 * 86_400)
    with pytest.raises(NotFoundException):
        await aws.call("DescribeKey", KeyId=id)
    await aws.made.ring.destroy_due()
    assert not (aws.stores.keys.values or aws.stores.aliases.values or aws.stores.grants.values)


async def test_a_key_is_not_destroyed_earlier_because_the_clock_was_set_forward(aws: Any) -> None:
    id = await aws.key()
    await aws.call("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=7)
    aws.clock.set_by(30 * 86_400)
    await aws.made.ring.destroy_due()
    aws.clock.set_by(-30 * 86_400)
    await aws.call("CancelKeyDeletion", KeyId=id)


async def test_a_key_whose_deletion_was_cancelled_elsewhere_is_not_destroyed(aws: Any) -> None:
    id = await aws.key()
    await aws.call("CreateAlias", AliasName="alias/k", TargetKeyId=id)
    await aws.call("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=7)
    ((name, pending),) = aws.stores.keys.values.items()
    aws.stores.keys.values[name] = replace(pending, deletion_at=None)
    aws.clock.advance(7 * 86_400)
    await aws.made.ring.destroy_due()
    assert aws.stores.keys.values and aws.stores.aliases.values


async def test_aliases(aws: Any) -> None:
    one, two = await aws.key(), await aws.key()
    await aws.call("CreateAlias", AliasName="alias/k", TargetKeyId=one)
    with pytest.raises(
        AlreadyExistsException, match=f"^An alias with the name {ARN}:alias/k already exists$"
    ):
        await aws.call("CreateAlias", AliasName="alias/k", TargetKeyId=two)
    aws.clock.advance(5)
    await aws.call("UpdateAlias", AliasName="alias/k", TargetKeyId=two)
    (found,) = (await aws.call("ListAliases"))["Aliases"]
    assert (found["TargetKeyId"], found["AliasArn"]) == (two, f"{ARN}:alias/k")
    assert found["LastUpdatedDate"] - found["CreationDate"] == 5
    assert (await aws.call("ListAliases", KeyId=one))["Aliases"] == []
    await aws.call("DeleteAlias", AliasName="alias/k")
    with pytest.raises(NotFoundException, match=f"^Alias {ARN}:alias/k is not found.$"):
        await aws.call("DeleteAlias", AliasName="alias/k")
    for name, error in (
        ("k", ValidationException),
        ("alias/aws/s3", InvalidAliasNameException),
        ("alias/a:b", InvalidAliasNameException),
        ("alias/", ValidationException),
    ):
        with pytest.raises(error):
            await aws.call("CreateAlias", AliasName=name, TargetKeyId=one)


async def test_lists_come_in_pages(aws: Any) -> None:
    ids = sorted([await aws.key() for _ in range(5)])
    first = await aws.call("ListKeys", Limit=2)
    assert first["Truncated"]
    found = [key["KeyId"] for key in first["Keys"]]
    while first["Truncated"]:
        first = await aws.call("ListKeys", Limit=2, Marker=first["NextMarker"])
        found += [key["KeyId"] for key in first["Keys"]]
    assert found == ids
    assert (await aws.by(region="eu-west-1").call("ListKeys"))["Keys"] == []


async def test_tags(aws: Any) -> None:
    id = await aws.key()
    await aws.call(
        "TagResource", KeyId=id, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}]
    )
    await aws.call("UntagResource", KeyId=id, TagKeys=["a", "none"])
    assert (await aws.call("ListResourceTags", KeyId=id))["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    with pytest.raises(TagException):
        await aws.call("TagResource", KeyId=id, Tags=[{"TagKey": "aws:x", "TagValue": ""}])


async def test_everything_is_there_after_a_restart(aws: Any) -> None:
    id = await aws.key()
    await aws.call("CreateAlias", AliasName="alias/k", TargetKeyId=id)
    encrypted = await aws.call("Encrypt", KeyId="alias/k", Plaintext=b"secret")
    await aws.restart()
    assert (await aws.call("Decrypt", CiphertextBlob=encrypted["CiphertextBlob"]))["Plaintext"] == b"secret"
